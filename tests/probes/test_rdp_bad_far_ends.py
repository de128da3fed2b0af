"""Far ends that misbehave instead of speaking RDP: each has its code, none holds us, none gets a secret."""

from __future__ import annotations

import json
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.lab.misbehaviour import RDP as CODES
from fixtures.listeners import Listener
from fixtures.rdp_peers import BEHAVIOURS, CONFIRM, RdpPeer, challenge, server_context, told
from tests.probes.conftest import HURRIED, found
from tests.probes.rdp_lab import probe_rdp

PASSWORD = "canary-secret"
# Where nobody had been named yet, another mechanism was tried over a second connection.
SECOND_VISIT = {"closes_after_tls", "refuses_to_begin"}


def test_every_behaviour_has_an_expectation() -> None:
    assert set(CODES) == set(BEHAVIOURS)


@pytest.mark.parametrize("name", CODES)
def test_each_misbehaviour_has_its_code_in_time(name: str) -> None:
    step, code = CODES[name]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with RdpPeer(name) as peer:
        started = time.monotonic()
        report = probe_rdp(peer.port, "soporte", PASSWORD, limits=HURRIED)
        took = time.monotonic() - started
    assert found(report) == (step, code), report.as_dict()
    assert report.status == "fail"
    assert took < HURRIED.total + 2
    assert peer.visits == (2 if name in SECOND_VISIT else 1)
    for encoding in ("utf-8", "utf-16-le"):
        assert PASSWORD.encode(encoding) not in peer.received
    assert PASSWORD not in json.dumps(report.as_dict())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000  # KiB


@pytest.mark.parametrize(
    ("name", "service"), [("smtp", "SMTP"), ("vnc", "VNC"), ("http", "HTTP"), ("tls_alert", "TLS")]
)
def test_the_wrong_service_is_named(name: str, service: str) -> None:
    with RdpPeer(name) as peer:
        step = probe_rdp(peer.port, limits=HURRIED).step("x224")
    assert step is not None
    assert step.facts["service"] == service


@pytest.fixture(scope="module")
def answering() -> Iterator[SimpleNamespace]:
    """A peer whose answer inside TLS can be changed between visits."""
    box = SimpleNamespace(answers=[b""])

    def behave(peer: Listener, sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(CONFIRM)
        with suppress(ssl.SSLError), server_context().wrap_socket(sock, server_side=True) as tls:
            for answer in box.answers:
                tls.recv(65536)
                tls.sendall(answer)

    with Listener(behave) as peer:
        box.port = peer.port
        yield box


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 400), noise=st.binary(min_size=1, max_size=12), second=st.binary(max_size=80))
def test_no_answer_makes_the_probe_fail_through_a_fault_of_ours(
    place: int, noise: bytes, second: bytes, answering: SimpleNamespace
) -> None:
    first = bytearray(told(challenge(), error_code=None))
    place %= len(first)
    first[place : place + len(noise)] = noise
    answering.answers = [bytes(first), second]
    report = probe_rdp(answering.port, limits=HURRIED)
    assert found(report)[0] == "login"
    assert str(report.code).startswith("rdp_"), report.as_dict()
