"""What travels to a VNC server: nothing of a credential until its certificate is the confirmed one."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import pytest

from fixtures.vnc_peers import VncPeer, reason, subtypes, types
from fixtures.vnc_servers import certificate, fingerprint
from probes.engine import run
from probes.errors import CredentialUnusable, TargetError
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Target

CANARY = "canary-ñ"


class RecordingServer:
    """VeNCrypt with a certificate; keeps what arrives inside its TLS, answers one login, and refuses it."""

    def __init__(self, folder: Path, kind: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.shown, key = certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.shown, key)
        self._kind = kind
        self.inside = bytearray()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock:
            for words, answer in (
                (b"RFB 003.008\n", 12),
                (types(19), 1),
                (b"\0\2", 2),
                (b"\0" + subtypes(self._kind), 4),
            ):
                sock.sendall(words)
                sock.recv(answer)
            sock.sendall(b"\1")
            with self._context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True) as line:
                self._hear(line)

    def _hear(self, line: ssl.SSLSocket) -> None:
        try:
            line.sendall(bytes(range(16)) if self._kind == 261 else b"")
            self.inside += line.recv(4096)
            line.sendall(b"\0\0\0\1" + reason(b"Authentication failure"))
        except OSError:
            return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=10)
        self._listener.close()


def probe_at(port: int, *pins: str) -> Report:
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)])
    canary = Credential(CredentialKind.PASSWORD, CANARY)
    return run(Target("vnc", "127.0.0.1", port, "soporte", canary, frozenset(pins), "3cx", allow=allow))


@pytest.mark.parametrize("kind", [261, 262], ids=["X509Vnc", "X509Plain"])
def test_a_changed_certificate_is_told_nothing(kind: int, tmp_path: Path) -> None:
    with RecordingServer(tmp_path, kind) as server:
        report = probe_at(server.port, "sha256:" + "0" * 64)
    step = report.step("security")
    assert step is not None
    assert (step.code, report.status) == ("cert_changed", "fail")
    assert step.facts["fingerprint"] == fingerprint(server.shown)
    assert step.facts["expected"] == "sha256:" + "0" * 64
    assert server.inside == b""


def test_the_confirmed_certificate_is_told_the_credential_once(tmp_path: Path) -> None:
    """The control of the test above: here the recording server does hear it."""
    with RecordingServer(tmp_path, 262) as server:
        report = probe_at(server.port, fingerprint(server.shown))
    assert report.code == "vnc_bad_credentials"
    assert server.inside.endswith(b"soporte" + CANARY.encode())
    assert "canary" not in json.dumps(report.as_dict())


@pytest.mark.parametrize(
    ("credential", "problem"),
    [
        (Credential(CredentialKind.PASSWORD, "a\0b"), "nul"),
        (Credential(CredentialKind.PASSWORD, "\0"), "nul"),
    ],
)
def test_a_password_with_nul_is_refused_before_any_packet(credential: Credential, problem: str) -> None:
    with pytest.raises(CredentialUnusable) as caught:
        Target("vnc", "pbx.example.com", 5900, credential=credential)
    assert caught.value.problem == problem


@pytest.mark.parametrize("pin", ["", "sha256:", "sha256:" + "G" * 64, "SHA256:abc", "ssh-ed25519 AAAA"])
def test_a_pin_is_the_digest_of_a_certificate(pin: str) -> None:
    with pytest.raises(TargetError) as caught:
        Target("vnc", "pbx.example.com", 5900, pins=frozenset([pin]))
    assert caught.value.field == "pins"


def probes(*arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "probes", "vnc", *arguments]
    env = {**os.environ, "LANG": "C.UTF-8", "VENTANA_PROBE_PASSWORD": password}
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=env)


def test_the_command_line_has_its_exit_codes_and_keeps_the_secret() -> None:
    with VncPeer("good_3_3") as good, VncPeer("wrong_password") as bad, VncPeer("locked_out") as locked:

        def at(peer: VncPeer, *more: str) -> subprocess.CompletedProcess[str]:
            return probes(
                "127.0.0.1", "--port", str(peer.port), "--allow-loopback", *more, password="canary-x"
            )

        amber, red, unknown = at(good, "--json"), at(bad, "--lang", "es"), at(locked, "--nagios")
        metrics = at(good, "--prometheus")
        visits = good.visits
        shallow = [at(good, "--depth", depth) for depth in ("reach", "identify")]
        assert good.visits == visits
    assert (amber.returncode, json.loads(amber.stdout)["code"]) == (1, "vnc_unencrypted")
    assert (red.returncode, "El servidor VNC no acepta la credencial" in red.stdout) == (2, True)
    assert (unknown.returncode, unknown.stdout.startswith("VNC UNKNOWN - Security: locked out")) == (3, True)
    assert 'method="vnc"' in metrics.stdout
    assert 'code="",method="vnc",outcome="ok",step="framebuffer"' in metrics.stdout
    assert [done.returncode for done in shallow] == [3, 3]
    for done in (amber, red, unknown, metrics, *shallow):
        assert "canary" not in done.stdout + done.stderr


def test_without_a_password_only_a_server_that_asks_for_none_is_proven() -> None:
    with VncPeer("anybody_3_7") as anybody, VncPeer("wrong_password") as guarded:
        opened = probes("127.0.0.1", "--port", str(anybody.port), "--allow-loopback", "--json")
        closed = probes("127.0.0.1", "--port", str(guarded.port), "--allow-loopback", "--json")
    assert (opened.returncode, json.loads(opened.stdout)["code"]) == (1, "vnc_no_password")
    assert (closed.returncode, json.loads(closed.stdout)["code"]) == (2, "vnc_credential_missing")


def test_a_check_in_clear_loads_neither_other_probes_nor_certificates() -> None:
    check = (
        "import sys, probes.vnc; loaded = set(sys.modules);"
        "sys.exit(bool(loaded & {'asyncssh', 'cryptography', 'probes.ssh', 'probes.rdp', 'probes.tls'}))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
