"""What a check of a panel sends, to whom, and how often: a real nginx, and peers that record."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from fixtures.processes import free_port
from fixtures.threecx import FAILURES_ALLOWED, VERSIONS, ThreeCx
from fixtures.web_peers import WebPeer
from fixtures.web_servers import Nginx, proxied
from probes.engine import probe, run
from probes.target import AddressAllowance, Credential, CredentialKind, Target
from tests.probes.conftest import found
from tests.probes.relay import RecordingRelay
from tests.probes.web_lab import GENERATIONS, LIMITS, PASSWORD, Lab, needs_nginx

pytestmark = needs_nginx


@GENERATIONS
def test_a_healthy_3cx_says_what_runs(generation: int, lab: Lab) -> None:
    with lab.threecx(generation) as (system, nginx):
        report = lab.probe(nginx.port)
        asked = nginx.requests()
    services = report.step("services")
    assert services is not None
    assert services.facts["version"] == VERSIONS[generation]
    assert (services.facts["extensions"], services.facts["trunks"]) == (18, 1)
    assert system.logins == ["admin"]
    assert len([line for line in asked if "POST" in line]) == 1
    assert [step.name for step in report.steps] == [
        *("name", "port", "tls", "http", "panel", "login", "services")
    ]


@GENERATIONS
def test_the_stopped_service_is_named(generation: int, lab: Lab) -> None:
    with lab.threecx(generation, stopped=("3CXQueueManager01",)) as (_, nginx):
        step = lab.probe(nginx.port).step("services")
    assert step is not None
    assert step.facts["services"] == ["3CX PhoneSystem 01 Queue Manager Server"]


@GENERATIONS
def test_a_failed_login_is_tried_once_and_never_again(generation: int, lab: Lab) -> None:
    with lab.threecx(generation) as (system, nginx):
        assert lab.probe(nginx.port, "other").code == "login_failed"
        assert len(system.logins) == 1
        for _ in range(FAILURES_ALLOWED - 1):
            lab.probe(nginx.port, "other")
        assert len(system.logins) == FAILURES_ALLOWED
        # The black list: the right password does not help any more, and we do not insist.
        assert lab.probe(nginx.port).code == "login_failed"


def test_what_stands_there_instead_is_said(lab: Lab) -> None:
    with lab.page("freepbx") as nginx:
        step = lab.probe(nginx.port).step("panel")
    assert step is not None
    assert (step.facts["found"], step.facts["expected"]) == ("FreePBX", "3CX")
    with lab.page("bakery") as nginx:
        step = lab.probe(nginx.port).step("panel")
    assert step is not None
    assert step.facts["found"] == "Panadería La Espiga & hijos"


def test_an_old_server_is_spoken_to(lab: Lab) -> None:
    with ThreeCx(18) as system, lab.nginx(proxied(system.port), protocols="TLSv1") as nginx:
        report = lab.probe(nginx.port)
    step = report.step("tls")
    assert report.status == "ok", report.as_dict()
    assert step is not None
    assert step.facts["old_version"] is True


def test_a_server_that_closes_after_each_answer_is_dialled_again_by_the_same_gate(lab: Lab) -> None:
    with ThreeCx(20) as system, lab.nginx("keepalive_timeout 0;" + proxied(system.port)) as nginx:
        report = lab.probe(nginx.port)
        assert report.status == "ok", report.as_dict()
        ends = time.monotonic() + 5  # nginx writes its log after the answer has gone out
        while len(nginx.requests()) < 4 and time.monotonic() < ends:
            time.sleep(0.02)
        assert len(nginx.requests()) >= 4


def test_one_connection_serves_a_whole_check(lab: Lab) -> None:
    with (
        lab.threecx(18) as (_, nginx),
        RecordingRelay(nginx.port) as relay,
    ):
        report = lab.probe(relay.port)
    assert report.status == "ok", report.as_dict()
    assert bytes(relay.sent).count(b"\x16\x03\x01") == 1  # one ClientHello


def test_a_certificate_that_changed_gets_not_a_byte_of_http(lab: Lab) -> None:
    with WebPeer("silent_login", lab.issued["good"]) as peer:
        report = lab.probe(peer.port, pins={lab.issued["self_signed"].fingerprint}, trust_first_use=True)
    assert found(report) == ("tls", "cert_changed")
    assert peer.received == b""


@pytest.mark.parametrize("certificate", ["self_signed", "wrong_name", "expired", "unknown_authority"])
def test_an_unconfirmed_certificate_gets_no_password(certificate: str, lab: Lab) -> None:
    with WebPeer("drops_login", lab.issued[certificate]) as peer:
        report = lab.probe(peer.port)
    login = report.step("login")
    assert login is not None
    assert (login.code, login.facts["reason"]) == ("password_withheld", "certificate")
    assert login.facts["fingerprint"] == lab.issued[certificate].fingerprint
    assert b"POST" not in peer.received
    assert b"GET / " in peer.received


def test_trust_at_first_use_sends_it(lab: Lab) -> None:
    with lab.threecx(20, "self_signed") as (system, nginx):
        report = lab.probe(nginx.port, trust_first_use=True)
    assert (report.status, report.code) == ("warn", "cert_unverified")
    assert report.steps[-1].name == "services"
    assert report.steps[-1].outcome == "ok"
    assert system.logins == ["admin"]


def test_nothing_secret_travels_in_clear(lab: Lab) -> None:
    with lab.threecx(18, None) as (system, nginx), RecordingRelay(nginx.port) as relay:
        report = lab.probe(relay.port, "canary", trust_first_use=True)
    login = report.step("login")
    assert login is not None
    assert (login.code, login.facts["reason"]) == ("password_withheld", "unencrypted")
    assert b"GET / " in relay.sent
    assert not [word for word in (b"canary", b"admin", b"POST") if word in relay.sent]
    assert system.logins == []


def test_another_certificate_on_the_second_connection_ends_the_visit(lab: Lab) -> None:
    """Keep-alive is off, and between two answers the server becomes another one."""
    port = free_port()
    with ThreeCx(18) as system, ExitStack() as running:
        locations = "keepalive_timeout 0;" + proxied(system.port)

        def stand_up(certificate: str) -> AbstractContextManager[Nginx]:
            return lab.nginx(locations, certificate, port=port)

        first = running.enter_context(stand_up("good"))

        def swap(step: Any) -> None:
            if step.name == "panel":
                first.stop()
                running.enter_context(stand_up("expires_soon"))

        target = Target(
            "web", "127.0.0.1", port, "admin", Credential(CredentialKind.PASSWORD, PASSWORD),
            platform="3cx", ca_file=str(lab.authority.ca_file),
            allow=AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)]),
        )  # fmt: skip
        report = run(target, limits=LIMITS, on_step=swap)
    assert found(report) == ("login", "cert_changed")
    assert system.logins == []


@pytest.mark.parametrize(
    ("certificate", "code", "logins"),
    [("two_addresses", None, ["admin"]), ("good", "password_withheld", [])],
)
def test_a_redirect_to_another_host_must_be_trusted_too(
    certificate: str, code: str | None, logins: list[str], lab: Lab
) -> None:
    """Both addresses are let through by the gate; only one certificate is also for the second."""
    port = free_port()
    onward = f'listen 127.0.0.2:{port} ssl; if ($server_addr = 127.0.0.1) {{ return 302 "https://127.0.0.2:{port}/"; }}'
    with ThreeCx(18) as system, lab.nginx(onward + proxied(system.port), certificate, port=port):
        report = lab.probe(port, loopback=("127.0.0.1", "127.0.0.2"))
        refused = lab.probe(port)
    assert report.code == code, report.as_dict()
    assert system.logins == logins
    assert found(refused) == ("http", "address_refused")


def test_the_loop_is_never_held_up(lab: Lab) -> None:
    """Once the libraries are loaded, which happens at the first check of a process."""

    async def watched(port: int) -> float:
        worst = 0.0
        target = Target(
            "web", "127.0.0.1", port, "admin", Credential(CredentialKind.PASSWORD, PASSWORD),
            platform="3cx", ca_file=str(lab.authority.ca_file),
            allow=AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)]),
        )  # fmt: skip

        async def climb() -> None:
            async for _ in probe(target, limits=LIMITS):
                pass

        climbing = asyncio.ensure_future(climb())
        while not climbing.done():
            before = time.process_time()
            await asyncio.sleep(0)
            worst = max(worst, time.process_time() - before)
        return worst

    with lab.threecx(20) as (_, nginx):
        lab.probe(nginx.port)
        assert min(asyncio.run(watched(nginx.port)) for _ in range(3)) < 0.05
