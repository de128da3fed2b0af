"""``python -m probes rdp``: exit codes, shapes, and the password only from a file, a prompt or the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fixtures.nla_peer import NlaPeer

PASSWORD = "Clave-3cx"


def rdp(port: int, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "probes", "rdp", "127.0.0.1", "--port", str(port), "--allow-loopback"]
    env = {**os.environ, "LANG": "C.UTF-8", **environment}
    return subprocess.run(
        [*line, *arguments], capture_output=True, text=True, timeout=60, check=False, env=env
    )


def test_green_amber_red_and_wrong_usage_have_their_exit_codes(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    accounts = {"soporte": (PASSWORD, "good"), "viejo": (PASSWORD, "password_expired")}
    with NlaPeer(tmp_path / "peer", accounts) as peer:
        green = rdp(peer.port, "-u", "soporte", "--password-file", str(secret), "--pin", peer.pin, "--json")
        red = rdp(peer.port, "-u", "viejo", "--lang", "es", VENTANA_PROBE_PASSWORD=PASSWORD)
        nagios = rdp(peer.port, "-u", "viejo", "--nagios", VENTANA_PROBE_PASSWORD=PASSWORD)
        without = rdp(peer.port, "-u", "soporte", "--prometheus")
        messages = peer.count("response")
        wrong = rdp(peer.port, "--pin", "SHA256:nonsense")
    report = json.loads(green.stdout)
    assert (green.returncode, report["status"], report["steps"][-1]["name"]) == (0, "ok", "login")
    assert (red.returncode, "La contraseña de viejo ha caducado" in red.stdout) == (2, True)
    assert "net user viejo *" in red.stdout
    assert nagios.stdout.startswith("RDP CRITICAL - Sign-in: the password of viejo has expired | name=")
    assert (without.returncode, 'outcome="ok",step="tls"' in without.stdout) == (0, True)
    assert messages == 3  # without a password there was no attempt
    assert (wrong.returncode, wrong.stderr.strip()) == (3, "probes: pins: not_a_fingerprint")
    assert PASSWORD not in "".join(done.stdout + done.stderr for done in (green, red, nagios, without))
