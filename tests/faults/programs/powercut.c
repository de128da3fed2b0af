/* A disk that loses power: preloaded into a program, it keeps beside each file of a folder what survives a power cut.
 *
 * Writes go to the real file, as into a kernel's cache. Only when the program asks for it to be on the disk (fsync,
 * fdatasync) is the file's content copied to the same name under POWERCUT_TO, under a lock. Whoever takes that lock and
 * copies POWERCUT_TO has in hand what a machine would find after its power failed at that moment.
 *
 * A kill in the middle of a copy leaves some of the bytes that were about to be safe, as a real disk would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

static int below(const char *folder, const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int copy(int from, const char *name) {
    static char block[1 << 20];
    struct stat found;
    off_t at = 0;
    ssize_t got = 0;
    int to = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (to < 0 || fstat(from, &found) != 0)
        return -1;
    while ((got = pread(from, block, sizeof block, at)) > 0) {
        if (pwrite(to, block, (size_t)got, at) != got) {
            close(to);
            return -1;
        }
        at += got;
    }
    if (got < 0 || ftruncate(to, at) != 0) {
        close(to);
        return -1;
    }
    return close(to);
}

static int keep(int file) {
    const char *from = getenv("POWERCUT_FROM"), *to = getenv("POWERCUT_TO");
    char link[64], path[PATH_MAX], name[2 * PATH_MAX];
    struct stat found;
    if (from == NULL || to == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    if (!below(from, path) || fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || found.st_nlink == 0)
        return 0;
    snprintf(name, sizeof name, "%s/.lock", to);
    pthread_mutex_lock(&copying);
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int result = lock < 0 ? -1 : flock(lock, LOCK_EX);
    snprintf(name, sizeof name, "%s/%s", to, strrchr(path, '/') + 1);
    if (result == 0)
        result = copy(file, name);
    if (lock >= 0)
        close(lock);
    pthread_mutex_unlock(&copying);
    if (result != 0)
        errno = EIO; /* a disk that cannot keep its promise says so */
    return result;
}

int fsync(int file) { return keep(file); }

int fdatasync(int file) { return keep(file); }
