"""Panels to try the check on: a real nginx with each kind of certificate, and what stands for 3CX behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.processes import free_port
from fixtures.threecx import Conduct, ThreeCx
from fixtures.web_servers import (
    Authority,
    Issued,
    Nginx,
    front_page,
    missing,
    missing_curl,
    proxied,
)
from probes.engine import run
from probes.pace import Limits
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target

needs_nginx = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_curl = pytest.mark.skipif(missing_curl() is not None, reason=str(missing_curl()))
PASSWORD = Conduct().password
LIMITS = Limits(dns=2, tcp=2, banner=5, kex=5, auth=5, command=5, total=20, turn=10)
GENERATIONS = pytest.mark.parametrize("generation", [18, 20])


@dataclass(frozen=True)
class Lab:
    """The authority, one certificate of each kind, and where servers may live."""

    home: Path
    authority: Authority
    issued: dict[str, Issued]

    def nginx(self, locations: str, certificate: str | None = "good", **more: Any) -> Nginx:
        issued = self.issued[certificate] if certificate else None
        home = self.home / f"nginx-{free_port()}"
        return Nginx(home, locations, issued, **more)

    def page(self, name: str, certificate: str | None = "good") -> Nginx:
        home = self.home / f"page-{free_port()}"
        return Nginx(home, front_page(home, name), self.issued[certificate] if certificate else None)

    @contextmanager
    def threecx(
        self, generation: int, certificate: str | None = "good", **conduct: Any
    ) -> Iterator[tuple[ThreeCx, Nginx]]:
        with ThreeCx(generation, Conduct(**conduct)) as system:  # noqa: SIM117 - nginx needs its port
            with self.nginx(proxied(system.port), certificate) as nginx:
                yield system, nginx

    def probe(self, port: int, password: str | None = PASSWORD, **more: Any) -> Report:
        credential = more.pop("credential", None) or (
            Credential(CredentialKind.PASSWORD, password) if password else Credential(CredentialKind.NONE)
        )
        depth, limits = more.pop("depth", Depth.FUNCTION), more.pop("limits", LIMITS)
        target = Target(
            "web",
            more.pop("host", "127.0.0.1"),
            port,
            more.pop("username", "admin"),
            credential,
            frozenset(more.pop("pins", ())),
            more.pop("platform", "3cx"),
            allow=AddressAllowance.parse(
                loopback_ports=[(address, port) for address in more.pop("loopback", ("127.0.0.1",))]
            ),
            ca_file=more.pop("ca_file", str(self.authority.ca_file)),
            **more,
        )
        return run(target, depth, limits=limits)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    home = tmp_path_factory.mktemp("web")
    authority, other = Authority(home / "authority"), Authority(home / "other")
    issued = {
        "good": authority.issue("good"),
        "expired": authority.issue("expired", days=-3),
        "expires_soon": authority.issue("soon", days=5, age_days=80),
        "self_signed": authority.issue("own", self_signed=True),
        "expired_self_signed": authority.issue("old", days=-3, self_signed=True),
        "wrong_name": authority.issue("wrong", ["pbx.example.com", "*.example.org"]),
        "wrong_address": authority.issue("address", ["127.0.0.2"]),
        "nameless": authority.issue("nameless", [], self_signed=True),
        "unknown_authority": other.issue("unknown"),
        "two_addresses": authority.issue("two", ["127.0.0.1", "127.0.0.2"]),
    }
    return Lab(home, authority, issued)
