"""`ventana demo` from its first line to Ctrl-C: what it promises on the terminal, and that nothing of it stays."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures import sshd
from fixtures.demo_threecx import SHOWN, DemoThreeCx
from fixtures.sshd import free_port

ROOT = Path(__file__).parents[2]
WITHOUT_SSHD = "import fixtures.sshd as s; s.missing = lambda: 'hidden'; from web.cli import main; main()"
"""The machine of somebody who has no OpenSSH server."""


@pytest.mark.parametrize("pbxs", ["real sshd", "built-in"])
def test_ctrl_c_ends_all_of_it_quietly(tmp_path: Path, pbxs: str) -> None:
    if pbxs == "real sshd" and (reason := sshd.missing()):
        pytest.skip(reason)
    program = ["-m", "web.cli"] if pbxs == "real sshd" else ["-c", WITHOUT_SSHD]
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as out:
        demo = subprocess.Popen(
            [sys.executable, *program, "demo", "--folder", str(tmp_path / "demo"), "--port", str(port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # as a terminal gives it: Ctrl-C reaches every process of the group
        )
    try:
        until_it_answers(port, demo)
        assert pbxs in log.read_text()
        missing = DemoThreeCx(tmp_path / "asked").missing
        for shown in SHOWN.values():  # each 3CX is there, or what it lacks is said
            assert (f"without {shown}: {missing[shown]}" if shown in missing else shown) in log.read_text()
        started = processes_naming(tmp_path)
        assert started, "the demo's processes do not show its folder"
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(30)
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
    assert not re.search("Traceback|Error", log.read_text()), log.read_text()
    assert processes_naming(tmp_path) == []


def until_it_answers(port: int, demo: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and demo.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200
        except OSError:
            time.sleep(0.2)
        else:
            return
        finally:
            connection.close()
    raise AssertionError("the demo did not come up")


def processes_naming(folder: Path) -> list[str]:
    """Command lines of live processes that name the folder."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in line:
            lines.append(line)
    return lines
