"""`ventana lab`: up, list, down, and that what it prints works as it stands."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import sshd
from fixtures.lab import keeper
from fixtures.lab.catalogue import ENTRIES
from fixtures.web_servers import missing as no_nginx

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ROOT = Path(__file__).parents[2]
NAMES = ("sshd-modern", "3cx-20", "3cx-20-cert-expired", "windows", "ssh-bad-smtp")
pytestmark = pytest.mark.skipif(
    (sshd.missing() or no_nginx()) is not None, reason=str(sshd.missing() or no_nginx())
)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    yield tmp_path / "lab"
    keeper.take_down(tmp_path / "lab")


def tried(command: str) -> int:
    """The exit status of the printed command, run as it stands by this checkout's interpreter."""
    words = shlex.split(command)
    assert words[0] == "./ventana"
    line = [sys.executable, "-m", "web.cli", *words[1:]]
    return subprocess.run(
        line, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    ).returncode


def test_the_printed_commands_work_and_down_leaves_nothing(empty: Terminal, folder: Path) -> None:
    up = empty("lab", "up", *NAMES, "--folder", str(folder), "--json")
    assert up.code == 0, up.err
    servers = {server["name"]: server for server in up.json}
    assert set(servers) == set(NAMES)
    state = keeper.state_of(folder)
    assert state is not None
    statuses = {name: tried(server["command"]) for name, server in servers.items()}
    assert statuses == {
        "sshd-modern": 0,
        "3cx-20": 0,
        "3cx-20-cert-expired": 1,
        "windows": 0,
        "ssh-bad-smtp": 2,
    }
    again = empty("lab", "up", "--folder", str(folder))
    assert (again.code, "already" in again.err) == (1, True)
    listed = empty("lab", "list", "--folder", str(folder))
    assert servers["windows"]["command"] in listed.out
    assert "user admin, password" in listed.out
    assert empty("lab", "down", "--folder", str(folder)).code == 0
    assert not [process for process in (state["keeper"], *state["processes"]) if keeper.lives(process)]
    assert not (folder / "state.json").exists()


def test_down_finds_what_a_killed_keeper_has_left(empty: Terminal, folder: Path) -> None:
    empty("lab", "up", "sshd-modern", "--folder", str(folder))
    state = keeper.state_of(folder)
    assert state is not None
    assert state["processes"]
    os.kill(state["keeper"][0], signal.SIGKILL)
    os.waitpid(state["keeper"][0], 0)
    assert any(keeper.lives(process) for process in state["processes"])
    empty.speaks("es")
    assert "Detenido" in empty("lab", "down", "--folder", str(folder)).out
    assert not any(keeper.lives(process) for process in state["processes"])
    assert "no está en marcha" in empty("lab", "down", "--folder", str(folder)).out


def test_what_is_missing_is_listed_with_its_package(empty: Terminal, folder: Path) -> None:
    import fixtures.processes

    empty.monkeypatch.setattr(fixtures.processes, "FOLDERS", "/nowhere")
    listed = empty("lab", "list", "--folder", str(folder))
    assert listed.code == 0
    assert "x11vnc: x11vnc is not installed (Debian: x11vnc)" in listed.out


def test_a_wrong_name_is_refused_before_anything_starts(empty: Terminal, folder: Path) -> None:
    said = empty("lab", "up", "nobody", "--folder", str(folder))
    assert (said.code, "'nobody'" in said.err, folder.exists()) == (2, True, False)


def test_the_table_of_one_server(empty: Terminal) -> None:
    said = empty("lab", "matrix", "port-closed", "--json")
    assert (said.code, said.json[0]["code"]) == (0, "tcp_refused")


def test_the_container_brings_every_package_and_runs_the_same_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import fixtures.processes

    monkeypatch.setattr(fixtures.processes, "FOLDERS", "/nowhere")
    reasons = " ".join(entry.missing() or "" for entry in ENTRIES)
    recipe = (ROOT / "docker" / "lab" / "Dockerfile").read_text("utf-8")
    needed = set(re.findall(r"\(Debian: ([a-z0-9-]+)\)", reasons))
    assert {"tigervnc-standalone-server", "xrdp", "x11vnc"} <= needed
    assert needed <= set(recipe.split())
    compose = (ROOT / "docker" / "lab" / "compose.yaml").read_text("utf-8")
    assert "command: [up, --foreground, --publish, lab," in compose
    assert 'ENTRYPOINT ["/opt/ventana/ventana", "lab"]' in recipe


def test_published_servers_answer_at_another_address_and_the_foreground_ends_calmly(folder: Path) -> None:
    line = ["-m", "web.cli", "lab", "up", "sshd-modern", "--foreground", "--publish", "127.0.0.7"]
    kept = subprocess.Popen(
        [sys.executable, *line, "--folder", str(folder), "--json"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert kept.stdout is not None
        text = ""
        while not text.endswith("]\n"):
            text += kept.stdout.readline() or pytest.fail("it has ended")
        (server,) = json.loads(text)
        with socket.create_connection(("127.0.0.7", server["port"]), timeout=5) as sock:
            assert sock.recv(4) == b"SSH-"
        kept.send_signal(signal.SIGTERM)
        assert kept.wait(30) == 0
    finally:
        kept.kill()
        kept.communicate()
    assert keeper.state_of(folder) is None
