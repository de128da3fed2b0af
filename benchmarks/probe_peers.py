"""The programs that Debian ships for the same questions, and what they cost: CPU of the client alone.

Each returns milliseconds of one probe, or the word why it cannot run here. A program is counted by its children's
time, a daemon by its own clock ticks over many requests.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fixtures.sshd import free_port

CHECK_SSH = "/usr/lib/nagios/plugins/check_ssh"
BLACKBOX = "prometheus-blackbox-exporter"
PACKAGES = {
    CHECK_SSH: "monitoring-plugins-basic",
    BLACKBOX: "prometheus-blackbox-exporter",
    "nmap": "nmap",
    "ssh-keyscan": "openssh-client",
    "ssh": "openssh-client",
    "xfreerdp": "freerdp2-x11",
}
MODULES = """
modules:
  ssh:
    prober: tcp
    timeout: 5s
    tcp: {preferred_ip_protocol: ip4, query_response: [{expect: "^SSH-2.0-"}]}
  rfb:
    prober: tcp
    timeout: 5s
    tcp: {preferred_ip_protocol: ip4, query_response: [{expect: "^RFB"}]}
"""
SCRAPES = 200


def missing(program: str) -> str | None:
    """Which package would bring the program, where it is not here."""
    return None if shutil.which(program) else f"not installed (Debian: {PACKAGES[program]})"


def children() -> float:
    """CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_program(command: Sequence[str], rounds: int, expected: str = "") -> float:
    """Milliseconds of one call, the median; whoever does not say what is expected has not answered the question."""
    spent = []
    for _ in range(rounds):
        before = children()
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        spent.append((children() - before) * 1000)
        if expected not in done.stdout + done.stderr:
            raise SystemExit(f"{command[0]} answered {done.stdout}{done.stderr}")
    return statistics.median(spent)


@contextmanager
def blackbox(folder: Path) -> Iterator[Callable[[str, str], float]]:
    """A blackbox_exporter of its own; called with module and target it gives milliseconds of its CPU for one scrape."""
    config, port = folder / "blackbox.yml", free_port()
    config.write_text(MODULES)
    start = [
        BLACKBOX,
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(f"http://127.0.0.1:{port}/-/healthy")

        def scrape(module: str, target: str) -> float:
            address = f"http://127.0.0.1:{port}/probe?module={module}&target={target}"
            _fetch(address)
            before = _ticks(process.pid)
            for _ in range(SCRAPES):
                if "probe_success 1" not in _fetch(address):
                    raise SystemExit(f"{BLACKBOX} did not reach {target}")
            return (_ticks(process.pid) - before) * 1000 / os.sysconf("SC_CLK_TCK") / SCRAPES

        yield scrape
    finally:
        process.terminate()
        process.wait(10)


def _fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own, on loopback
        return str(answer.read().decode())


def _await(address: str) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            _fetch(address)
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def _ticks(pid: int) -> int:
    """User and system time of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
