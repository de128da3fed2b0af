"""Far ends that misbehave: each has its code, none holds us longer than its limit, none gets a secret."""

from __future__ import annotations

import json
import resource
import socket
import time
from typing import TYPE_CHECKING

import pytest

from fixtures.lab.misbehaviour import SSH as CODES
from fixtures.ssh_bad_peers import BEHAVIOURS, BadPeer
from probes.second_opinion import DOUBTED
from probes.target import Credential, CredentialKind
from tests.probes.conftest import HURRIED, found

if TYPE_CHECKING:
    from tests.probes.conftest import Probe

CANARY = Credential(CredentialKind.PASSWORD, "canary-secret")


def test_every_behaviour_has_an_expectation() -> None:
    assert set(CODES) == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", sorted(CODES))
def test_each_misbehaviour_has_its_code_in_time(behaviour: str, probe_at: Probe) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with BadPeer(behaviour) as peer:
        started = time.monotonic()
        report = probe_at(peer.port, credential=CANARY, trust_first_use=True, limits=HURRIED)
        took = time.monotonic() - started
    step, code = found(report)
    assert code == CODES[behaviour][1], report.as_dict()
    # A reset may arrive before we have asked who is there.
    assert step == CODES[behaviour][0] or (behaviour, step) == ("reset", "port")
    assert report.status == ("unknown" if behaviour == "max_startups" else "fail")
    assert took < HURRIED.total + 2
    # Never a second try of ours: a second visit is the other client's, which knows no credential.
    assert peer.visits <= (2 if code in DOUBTED else 1)
    assert b"canary" not in peer.received
    assert "canary" not in json.dumps(report.as_dict())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000  # KiB


@pytest.mark.parametrize(("behaviour", "service"), [("smtp", "SMTP"), ("vnc", "VNC"), ("http", "HTTP")])
def test_the_wrong_service_is_named(behaviour: str, service: str, probe_at: Probe) -> None:
    with BadPeer(behaviour) as peer:
        step = probe_at(peer.port, limits=HURRIED).step("service")
    assert step is not None
    assert step.facts["service"] == service


def test_a_closed_port_is_refused(probe_at: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    report = probe_at(port, source_address="198.51.100.7")
    step = report.step("port")
    assert step is not None
    assert (step.code, step.facts["source_address"]) == ("tcp_refused", "198.51.100.7")


def test_a_full_backlog_times_out(probe_at: Probe) -> None:
    """Like a filtered port: the first packet is not answered."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        try:
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
            time.sleep(0.05)
            assert found(probe_at(port, limits=HURRIED)) == ("port", "tcp_timeout")
        finally:
            for sock in waiting:
                sock.close()
