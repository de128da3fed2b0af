"""Far ends that misbehave where a panel should be: a code each, in time, in bounded memory, and no password."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path

import pytest

from fixtures.lab.misbehaviour import WEB as CODES
from fixtures.web_peers import ENCRYPTED, RAW, WebPeer
from fixtures.web_servers import Authority, Issued
from probes.engine import run
from probes.pace import Limits
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Target
from tests.probes.conftest import found

HURRIED = Limits(dns=1, tcp=1, banner=0.8, kex=0.8, auth=0.8, command=1, total=4, turn=10)
CANARY = "canary-Secret-ñ"
AT_LOGIN = ("drops_login", "silent_login")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue("good")


def probe(port: int, authority: Authority) -> Report:
    target = Target(
        "web",
        "127.0.0.1",
        port,
        "admin",
        Credential(CredentialKind.PASSWORD, CANARY),
        platform="3cx",
        allow=AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)]),
        ca_file=str(authority.ca_file),
    )
    return run(target, limits=HURRIED)


def test_every_behaviour_has_an_expectation() -> None:
    assert set(CODES) == {*RAW, *ENCRYPTED}


@pytest.mark.parametrize("behaviour", sorted(CODES))
def test_each_misbehaviour_has_its_code_in_time(behaviour: str, authority: Authority, issued: Issued) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with WebPeer(behaviour, issued) as peer:
        started = time.monotonic()
        report = probe(peer.port, authority)
        took = time.monotonic() - started
    assert found(report) == CODES[behaviour], report.as_dict()
    assert report.status == "fail"
    assert took < HURRIED.total + 2
    assert "canary" not in json.dumps(report.as_dict())
    assert bytes(peer.received).count(b"POST") == (1 if behaviour in AT_LOGIN else 0)  # never a second try
    assert (b"canary" in peer.received) == (behaviour in AT_LOGIN)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000  # KiB


@pytest.mark.parametrize(("behaviour", "service"), [("smtp", "SMTP"), ("vnc", "VNC")])
def test_the_wrong_service_is_named(
    behaviour: str, service: str, authority: Authority, issued: Issued
) -> None:
    with WebPeer(behaviour, issued) as peer:
        step = probe(peer.port, authority).step("tls")
    assert step is not None
    assert step.facts["service"] == service


@pytest.mark.parametrize("behaviour", ["closes_http", "half_close", "slow_drip", "silent"])
def test_nothing_is_left_open(
    behaviour: str, authority: Authority, issued: Issued, recwarn: pytest.WarningsRecorder
) -> None:
    files = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else set()
    with WebPeer(behaviour, issued) as peer:
        probe(peer.port, authority)
    time.sleep(0.3)
    after = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else set()
    assert len(after) <= len(files) + 1
    assert not [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)]
