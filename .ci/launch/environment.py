"""Makes the environment of a lock, or brings an older one up to it.

Called as `python -m launch.environment LOCK PLACE` by launch/environment.sh.

A run that is interrupted leaves no environment that looks whole: the stamp is taken away first and written last.
Two first runs at once do not collide: the second waits and finds the work done.
"""

import fcntl
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.installers import Installer, installers
from launch.progress import run_logged
from launch.wording import say

RUNTIME_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"
# The test lock holds every line of the runtime lock in the same version (tests/house proves it), so an environment
# made for tests serves ./ventana too, and ./ventana does not throw the test tools out again.
HOLDS = {RUNTIME_LOCK: (RUNTIME_LOCK,), TEST_LOCK: (TEST_LOCK, RUNTIME_LOCK)}
STAMP = ".ventana"
GUARD = ".being-made"
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Exit code 0 when PLACE holds LOCK, 69 when it cannot be had, 130 when interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    lock, place = Path(arguments[0]), Path(arguments[1])
    try:
        with alone_in(place):
            return 0 if is_current(place, lock) or make(place, lock) else UNAVAILABLE
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except OSError as error:
        say("cannot_write", place=place, reason=error.strerror)
        return UNAVAILABLE


@contextmanager
def alone_in(place: Path) -> Iterator[None]:
    """Hold the folder against a second run; the kernel lets go when a run dies, so nothing stale can block."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / GUARD).open("w") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting")
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def is_current(place: Path, lock: Path) -> bool:
    """Whether the stamp says that this lock, byte for byte, was installed by this interpreter."""
    stamp = place / STAMP
    return (
        _text(stamp / lock.name) == lock.read_text()
        and _text(stamp / "interpreter").strip() == sys.executable
    )


def make(place: Path, lock: Path) -> bool:
    """Fill the place; False when no installer of this machine could."""
    if not is_ours(place):
        say("not_ours", place=place)
        return False
    lock = _wanted(place, lock)
    started = time.monotonic()
    count = len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE))
    say("preparing", place=place, count=count, python=f"Python {sys.version.split()[0]}")
    whole = _take_stamp_away(place)
    with tempfile.TemporaryDirectory(prefix="ventana-") as scratch:
        done = _fill(place, lock, Path(scratch), whole)
    if done:
        write_stamp(place, lock)
        say("ready", seconds=time.monotonic() - started)
    return done


def is_ours(place: Path) -> bool:
    """An environment, or empty: VENTANA_VENV=$HOME must not empty somebody's home."""
    return (place / "pyvenv.cfg").exists() or all(entry.name == GUARD for entry in place.iterdir())


def write_stamp(place: Path, lock: Path) -> None:
    """Say what the place holds now, at once and whole."""
    draft = place / f"{STAMP}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in HOLDS.get(lock.name, (lock.name,)):
        shutil.copyfile(lock.with_name(name), draft / name)
    (draft / "interpreter").write_text(f"{sys.executable}\n")
    shutil.rmtree(place / STAMP, ignore_errors=True)
    draft.rename(place / STAMP)


def _wanted(place: Path, lock: Path) -> Path:
    """Keep the test tools where they were."""
    return lock.with_name(TEST_LOCK) if (place / STAMP / TEST_LOCK).exists() else lock


def _take_stamp_away(place: Path) -> bool:
    """True when what stays is a whole environment of this interpreter that an installer can bring up to date."""
    whole = _text(place / STAMP / "interpreter").strip() == sys.executable
    shutil.rmtree(place / STAMP, ignore_errors=True)
    return whole


def _fill(place: Path, lock: Path, scratch: Path, whole: bool) -> bool:
    tried = False
    for installer in installers(place, lock, scratch):
        if not (whole and not tried):
            _clear(place)
        tried = True
        if _run(installer, scratch):
            return True
    say("gave_up" if tried else "no_tool")
    return False


def _run(installer: Installer, scratch: Path) -> bool:
    log = scratch / "log"
    return all(run_logged(command, log, installer.name) for command in (installer.create, installer.install))


def _clear(place: Path) -> None:
    for entry in place.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in (GUARD, "pyvenv.cfg"):  # the latter keeps the place ours if this is cut short
            entry.unlink()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _leave_environment(arguments: list[str]) -> None:
    """Go on in the interpreter itself: run from an activated environment we would be clearing our own floor."""
    interpreter = os.path.realpath(sys.executable)
    if interpreter != sys.executable:
        os.execv(interpreter, [interpreter, "-m", "launch.environment", *arguments])


if __name__ == "__main__":
    _leave_environment(sys.argv[1:])
    sys.exit(main(sys.argv[1:]))
