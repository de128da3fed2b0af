"""Real far ends on loopback, and short time limits for those that never answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures import sshd
from probes.engine import run
from probes.pace import Limits
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from tests.probes.web_lab import lab  # noqa: F401 - a fixture

HURRIED = Limits(dns=1, tcp=1, banner=0.6, kex=0.8, auth=0.8, command=1, total=4, turn=10, opinion=0)
PATIENT = Limits(opinion=0)
Probe = Callable[..., Report]


@dataclass(frozen=True)
class Identity:
    """A key pair made by ssh-keygen."""

    path: Path
    private: str
    public: str

    @property
    def ours(self) -> Credential:
        return Credential(CredentialKind.OUR_KEY, self.private)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Identity]:
    folder, made = tmp_path_factory.mktemp("keys"), dict[str, Identity]()

    def key(name: str) -> Identity:
        if name not in made:
            private = sshd.make_key(folder / name, name.split("-", maxsplit=1)[0])
            public = " ".join((folder / f"{name}.pub").read_text(encoding="ascii").split()[:2])
            made[name] = Identity(folder / name, private, public)
        return made[name]

    return key


@pytest.fixture(scope="session")
def identity(keys: Callable[[str], Identity]) -> Identity:
    return keys("ed25519")


@pytest.fixture(scope="session")
def stranger(keys: Callable[[str], Identity]) -> Identity:
    return keys("ed25519-stranger")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[sshd.Sshd]:
    if (reason := sshd.missing()) is not None:
        pytest.skip(reason)
    with sshd.Sshd(tmp_path_factory.mktemp("sshd"), authorized=[identity.public]) as running:
        yield running


@pytest.fixture
def hurried_commands() -> Limits:
    """Patient up to the login, so that only commands can be late."""
    return Limits(command=1.5)


@pytest.fixture
def probe_at() -> Probe:
    """Probe a loopback port: ``probe_at(port, username, credential, pins=…, …)``."""

    def probe(
        port: int,
        username: str = "soporte",
        credential: Credential | None = None,
        *,
        pins: tuple[str, ...] = (),
        depth: Depth = Depth.FUNCTION,
        limits: Limits = PATIENT,
        **more: Any,
    ) -> Report:
        target = Target(
            "ssh",
            "127.0.0.1",
            port,
            username,
            credential or Credential(CredentialKind.NONE),
            frozenset(pins),
            more.pop("platform", "asterisk"),
            allow=AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)]),
            **more,
        )
        return run(target, depth, limits=limits)

    return probe


def found(report: Report) -> tuple[str | None, str | None]:
    """Name and code of the first step that is not as it should be."""
    return next(((step.name, step.code) for step in report.steps if step.code), (None, None))
