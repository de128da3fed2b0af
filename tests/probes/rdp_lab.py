"""The RDP servers of the tests, each started when first asked for and stopped together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fixtures.nla_peer import NlaPeer
from fixtures.rdp_servers import Shadow, Xrdp, XServer, missing, shadow_missing
from probes.engine import run
from probes.pace import Limits
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target

PASSWORD = "Clave-3cx"
ACCOUNTS = {
    "soporte": (PASSWORD, "good"),
    "Muñoz": ("contraseña😀", "good"),
    "hashes": (f"{'a' * 32}:{'b' * 32}", "good"),
    "long": ("x" * 300, "good"),
    "locked": (PASSWORD, "locked"),
    "disabled": (PASSWORD, "disabled"),
    "expired": (PASSWORD, "expired"),
    "old": (PASSWORD, "password_expired"),
    "change": (PASSWORD, "must_change"),
    "restricted": (PASSWORD, "restricted"),
    "night": (PASSWORD, "hours"),
    "elsewhere": (PASSWORD, "workstation"),
    "service": (PASSWORD, "logon_type"),
    "domain": (PASSWORD, "no_controller"),
    "kerberos": (PASSWORD, "ntlm_blocked"),
    "strange": (PASSWORD, "strange"),
}
# What each server of the lab is; those on pyspnego take the place of Windows.
PEERS: dict[str, dict[str, Any]] = {
    "windows": {},
    "windows_7": {"version": 2},
    "windows_v3": {"version": 3},
    "windows_v5": {"version": 5},
    "windows_newer": {"version": 7},
    "spnego_only": {"mechanism": "spnego"},
    "no_mechanism": {"mechanism": "none"},
    "impostor": {"fault": "wrong_proof"},
    "no_proof": {"fault": "no_proof"},
    "silent_login": {"fault": "silent_login"},
    "expired_certificate": {"days": -2},
    "soon_expired_certificate": {"days": 3.5},
    "wants_tls": {"failure": 1},
    "no_tls": {"failure": 2},
    "no_certificate": {"failure": 3},
    "inconsistent": {"failure": 4},
    "wants_smartcard": {"failure": 6},
    "unasked": {"protocol": 8},
    "rdp_security": {"protocol": 0},
}


class RdpLab:
    """Servers by name: those of PEERS, and shadow_nla, shadow_tls, shadow_rdp, xrdp, xrdp_tls, xrdp_rdp."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, Any] = {}
        self._stack = ExitStack()

    def server(self, name: str) -> Any:
        """The running server; skips the test where it is not installed."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(self._made(name))
        return self._running[name]

    def _made(self, name: str) -> Any:
        home = self.folder / name
        if name in PEERS:
            return NlaPeer(home, ACCOUNTS, **PEERS[name])
        kind, _, security = name.partition("_")
        reason = shadow_missing() if kind == "shadow" else missing("xrdp", "xrdp-keygen")
        if reason is not None:
            pytest.skip(reason)
        if kind == "xrdp":
            return Xrdp(home, security=security or "negotiate")
        accounts = {"soporte": PASSWORD, "tecnico": "contraseña😀"}
        return Shadow(home, accounts, self.display, security=security)

    @property
    def display(self) -> str:
        """A display for whoever needs one; skips the test where there is no Xvfb."""
        if "display" not in self._running:
            if (reason := missing("Xvfb")) is not None:
                pytest.skip(reason)
            self._running["display"] = self._stack.enter_context(XServer(self.folder / "display"))
        return str(self._running["display"].display)

    def close(self) -> None:
        """Stop them all."""
        self._stack.close()


PATIENT = Limits(opinion=0)
Probe = Callable[..., Report]


def probe_rdp(
    port: int,
    username: str = "soporte",
    password: str | None = PASSWORD,
    *,
    pins: tuple[str, ...] = (),
    depth: Depth = Depth.FUNCTION,
    limits: Limits = PATIENT,
    **more: Any,
) -> Report:
    """Probe RDP at a loopback port."""
    credential = (
        Credential(CredentialKind.PASSWORD, password) if password else Credential(CredentialKind.NONE)
    )
    target = Target(
        "rdp",
        "127.0.0.1",
        port,
        username,
        more.pop("credential", credential),
        frozenset(pins),
        "3cx",
        allow=AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)]),
        **more,
    )
    return run(target, depth, limits=limits)
