"""The Debian packages that tests need: installed where this process may, otherwise named with what is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NO_SERVICES = Path("/usr/sbin/policy-rc.d")
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Need:
    """A Debian package, a file or program (glob, or a name on the path) that shows it is there, and its use."""

    package: str
    shown_by: str
    used_for: str

    def is_met(self) -> bool:
        """Looks for the thing and not for the package: another system may bring it in its own way."""
        if self.shown_by.startswith("/"):
            return any(Path("/").glob(self.shown_by[1:]))
        return shutil.which(self.shown_by, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}") is not None


NEEDS = (
    Need("openssh-server", "sshd", "probes against OpenSSH"),
    Need("openssh-client", "ssh-keygen", "keys and certificates made by OpenSSH"),
    Need("dropbear-bin", "dropbear", "probes against a second SSH implementation"),
    Need("postgresql", "/usr/lib/postgresql/*/bin/initdb", "the store, races and faults on PostgreSQL"),
    Need("libatomic1", "/usr/lib/*/libatomic.so.1", "the program that drives the browser"),
    Need("chromium", "chromium", "the pages in a browser"),
    Need("libical3", "/usr/lib/*/libical.so.*", "calendars read by an independent C library"),
    Need("sshpass", "sshpass", "OpenSSH's own client as a witness of passwords"),
    Need("curl", "curl", "a witness of web panels"),
    Need("dovecot-imapd", "/usr/lib/dovecot/imap", "answers to invitations in a real mailbox"),
    Need("nginx-light", "nginx", "web panels behind a real TLS server"),
    Need("tigervnc-standalone-server", "Xtigervnc", "probes against TigerVNC"),
    Need("tigervnc-tools", "/usr/bin/tigervncpasswd", "passwords of TigerVNC"),
    Need("tigervnc-viewer", "xtigervncviewer", "a witness of VNC sign-ins"),
    Need(
        "libpam-wrapper",
        "/usr/lib/*/libpam_wrapper.so*",
        "accounts of TigerVNC without accounts of the machine",
    ),
    Need("x11vnc", "x11vnc", "probes against a second VNC server"),
    Need("xvfb", "Xvfb", "screens for VNC and RDP servers"),
    Need("winpr-utils", "winpr-hash", "accounts of the RDP server"),
    Need("xrdp", "xrdp", "probes against xrdp"),
    Need(
        "freerdp2-shadow-x11", "freerdp-shadow-cli", "probes against an RDP server with network level sign-in"
    ),
    Need("freerdp2-x11", "xfreerdp", "a witness of RDP sign-ins"),
    Need(
        "debian-archive-keyring",
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "signatures of the Debian that Asterisk needs",
    ),
    Need("debootstrap", "debootstrap", "a real Asterisk in a root of its own"),
    Need("gcc", "gcc", "power cuts of SQLite, by a small library"),
    Need("libc6-dev", "/usr/include/stdio.h", "the same"),
    Need("libfaketime", "/usr/lib/*/faketime/libfaketime.so.1", "clocks that jump"),
    Need("fonts-liberation", "/usr/share/fonts/**/Liberation*", "readable pictures of the pages"),
)


SLOW_NEEDS = (Need("thunderbird", "thunderbird", "the calendars in Thunderbird"),)
"""For `./test full` alone: 211 MB when installed."""


def missing(more: Iterable[Need] = ()) -> list[Need]:
    """What is not on this machine, of the usual needs and of these."""
    return [need for need in (*NEEDS, *more) if not need.is_met()]


def provide(more: Iterable[Need] = ()) -> list[Need]:
    """Install what is missing if that is allowed here; return what is missing afterwards."""
    needs = missing(more)
    if not needs or not _may_install():
        return needs
    names = [need.package for need in needs]
    print("installing Debian packages:", *names, "(VENTANA_NO_APT=1 forbids it)", flush=True)
    with _services_stay_off():
        if not _apt_get("update") or not _apt_get("install", "--yes", "--no-install-recommends", *names):
            print("apt-get did not succeed; going on without", flush=True)
    return missing(more)


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and not os.environ.get("VENTANA_NO_APT")


def _apt_get(*arguments: str) -> bool:
    """Quiet unless it fails. Waits for another apt, asks nothing."""
    run = subprocess.run(
        ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        print(run.stdout[-2000:], run.stderr[-2000:], sep="\n", file=sys.stderr)
    return run.returncode == 0


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """A test dependency must not open an SSH server or a database on somebody's machine (Debian's policy-rc.d)."""
    if NO_SERVICES.exists():
        yield
        return
    NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
    NO_SERVICES.chmod(0o755)
    try:
        yield
    finally:
        NO_SERVICES.unlink()
