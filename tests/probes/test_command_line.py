"""``python -m probes``: exit codes, shapes of output, and credentials that stay out of sight."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures.ssh_peers import AsyncsshPeer, Door

if TYPE_CHECKING:
    from tests.probes.conftest import Identity


def probes(*arguments: str, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "probes", *arguments]
    env = {**os.environ, "LANG": "C.UTF-8", **environment}
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=env, input=given)


def test_green_amber_red_and_wrong_usage_have_their_exit_codes(identity: Identity) -> None:
    with AsyncsshPeer(Door(authorized=(identity.public,))) as peer:
        at = ("ssh", "127.0.0.1", "--port", str(peer.port), "--allow-loopback", "--user", "soporte")
        key = ("--key-file", str(identity.path))
        green = probes(*at, *key, "--pin", peer.host_key_line(), "--json")
        amber = probes(*at, *key, "--nagios")
        red = probes(*at, *key, "--pin", identity.public, "--lang", "es")
        metrics = probes(*at, *key, "--pin", peer.host_key_line(), "--prometheus")
    assert (green.returncode, json.loads(green.stdout)["status"]) == (0, "ok"), green.stderr
    assert (amber.returncode, amber.stdout.startswith("SSH WARNING - Server key: first seen")) == (1, True)
    assert "| name=" in amber.stdout
    assert (red.returncode, "La clave del servidor ha cambiado" in red.stdout) == (2, True)
    assert "ventana_probe_success{" in metrics.stdout
    assert 'code="",method="ssh",outcome="ok",step="asterisk"' in metrics.stdout
    assert probes("ssh", "127.0.0.1", "--nonsense").returncode == 3
    assert probes("ssh", "127.0.0.1", "--port", "70000").returncode == 3


def test_a_password_from_the_environment_never_shows(identity: Identity) -> None:
    with AsyncsshPeer(Door(password="canary-pw")) as peer:
        at = ("ssh", "127.0.0.1", "--port", str(peer.port), "--allow-loopback", "--user", "soporte", "--json")
        pinned = probes(*at, "--pin", peer.host_key_line(), VENTANA_PROBE_PASSWORD="canary-pw")
    assert pinned.returncode == 0, pinned.stdout
    assert "canary" not in pinned.stdout + pinned.stderr


def test_loopback_needs_its_flag() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        shut = probes("ssh", "127.0.0.1", "--port", str(listener.getsockname()[1]), "--nagios")
    assert (shut.returncode, "address cannot be used" in shut.stdout) == (2, True)


def test_help_names_the_exit_codes_and_does_not_load_the_ssh_library() -> None:
    shown = probes("ssh", "--help")
    assert "every step proven" in shown.stdout
    assert not {"asyncssh", "cryptography"} & imported_by("probes.__main__")


KINDS = {
    "ssh": {"asyncssh", "probes.ssh"},
    "rdp": {"spnego", "probes.rdp"},
    "vnc": {"probes.vnc"},
    "web": {"httpcore", "probes.web"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_of_probe_does_not_import_the_others(kind: str) -> None:
    imported = imported_by(f"probes.{kind}")
    others = set[str]().union(*(its for name, its in KINDS.items() if name != kind))
    assert KINDS[kind] <= imported
    assert not (others - KINDS[kind]) & imported
    assert not {"paramiko", "twisted", "vncdotool", "sqlalchemy", "flask"} & imported


def imported_by(module: str) -> set[str]:
    check = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    return set(run.stdout.split())
