"""Before a red light of RDP or VNC another client logs in, once and counted; never after a refused login."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.listeners import Listener
from fixtures.nla_peer import NlaPeer
from fixtures.rdp_peers import RdpPeer
from fixtures.rdp_servers import Shadow, XServer, shadow_missing
from fixtures.rdp_servers import missing as rdp_missing
from fixtures.vnc_peers import CHALLENGE, FAILED, VNC_AUTH, reason, script, types
from fixtures.vnc_servers import TigerVnc
from fixtures.vnc_servers import missing as vnc_missing
from probes import rdp_opinion, tls, vnc_opinion, vnc_security
from probes.engine import run, utc_now
from probes.logins import Allowance, RememberedLogins
from probes.pace import Limits
from probes.report import Outcome, Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from probes.vnc_security import Ended

USER, PASSWORD = "soporte", "s3creto"
LIMITS = Limits(banner=5, kex=5, opinion=30)
VENCRYPT_0_1 = (19, VNC_AUTH)
"""Offered by a server whose VeNCrypt is too old for us, and which has VncAuth besides."""


def target_at(method: str, port: int, password: str = PASSWORD, **more: Any) -> Target:
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)])
    credential = Credential(CredentialKind.PASSWORD, password)
    return Target(method, "127.0.0.1", port, USER, credential, allow=allow, **more)


def probed(target: Target, book: RememberedLogins | None = None, depth: Depth = Depth.FUNCTION) -> Report:
    return run(target, depth, limits=LIMITS, logins=book)


def book_of(logins: int = 20, refusals: int = 4) -> RememberedLogins:
    return RememberedLogins(utc_now, Allowance(logins, refusals))


def endings(book: RememberedLogins, port: int) -> list[str | None]:
    return [attempt.ending for attempt in book._kept["127.0.0.1", port]]


def either_way(*answers: bytes | int) -> Listener:
    """Whoever chooses VeNCrypt is told 0.1 and left; whoever chooses VncAuth gets the answers."""

    def behave(peer: Listener, sock: Any) -> None:
        script(types(*VENCRYPT_0_1))(peer, sock)
        if peer.hear(sock, 1) != bytes((VNC_AUTH,)):
            sock.sendall(b"\0\1")
            peer.linger(sock)
            return
        for answer in answers:
            if isinstance(answer, int):
                peer.hear(sock, answer)
            else:
                sock.sendall(answer)

    return Listener(behave)


@pytest.fixture(scope="module")
def shadow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shadow]:
    if (why := shadow_missing() or rdp_missing("xfreerdp")) is not None:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("shadow")
    with XServer(folder / "x") as screen, Shadow(folder / "s", {USER: PASSWORD}, screen.display) as server:
        yield server


@pytest.mark.skipif(vnc_missing() is not None, reason=str(vnc_missing()))
def test_vncdotool_gets_into_a_real_server_where_our_tls_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours, made by hand; without it our client is the one that gets in."""

    async def broken(*_: object) -> None:
        raise Ended("tls_failed", reason="protocol")

    monkeypatch.setattr(vnc_security, "_encrypt", broken)
    book = book_of()
    with TigerVnc(tmp_path, "X509Vnc,VncAuth", password=PASSWORD.encode()) as server:
        report = probed(target_at("vnc", server.port), book)
        security = report.step("security")
        assert security is not None
        assert (report.status, report.code) == ("unknown", "opinions_differ")
        assert security.outcome is Outcome.SKIPPED
        assert (security.facts["first_opinion"], security.facts["second_opinion"]) == (
            "tls_failed",
            "login done",
        )
        assert endings(book, server.port) == ["refused", "accepted"]
    assert PASSWORD not in json.dumps(report.as_dict())


def test_a_login_that_it_is_refused_differs_too_and_counts() -> None:
    book = book_of()
    with either_way(CHALLENGE, 16, FAILED + reason(b"password check failed!")) as peer:
        report = probed(target_at("vnc", peer.port), book)
        assert (report.code, peer.visits) == ("opinions_differ", 2)
        assert endings(book, peer.port) == ["refused", "refused"]


def test_what_fails_for_both_is_red_and_carries_both() -> None:
    with either_way() as peer:
        report = probed(target_at("vnc", peer.port))
        step = report.step("security")
        assert step is not None
        assert (report.status, step.code, peer.visits) == ("fail", "vnc_unsupported_security", 2)
        assert step.facts["first_opinion"] == "vnc_unsupported_security"
        assert step.facts["second_opinion"] == "connection lost"


@pytest.mark.parametrize("why", ["not installed", "one too many", "pinned", "not to log in", "no VncAuth"])
def test_a_vnc_server_is_not_visited_again_in_vain(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each visit without a login counts towards its lock-out."""
    if why == "not installed":
        monkeypatch.setattr(vnc_opinion, "find_spec", lambda _: None)
    if why == "no VncAuth":
        monkeypatch.setattr(f"{__name__}.VENCRYPT_0_1", (19, 16))
    pins = frozenset(["sha256:" + "0" * 64]) if why == "pinned" else frozenset[str]()
    with either_way(CHALLENGE) as peer:
        target = target_at("vnc", peer.port, pins=pins)
        depth = Depth.REACH if why == "not to log in" else Depth.FUNCTION
        report = probed(target, book_of(refusals=1) if why == "one too many" else None, depth)
        assert peer.visits == (0 if why == "not to log in" else 1)
    assert "second_opinion" not in json.dumps(report.as_dict())


def broken_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours, made by hand."""

    async def broken(*_: object) -> None:
        raise tls.TlsFailed("protocol")

    monkeypatch.setattr("probes.rdp.secure", broken)


@pytest.mark.skipif(rdp_opinion.program() is None, reason="xfreerdp or Xvfb is not installed")
def test_a_refusal_that_xfreerdp_meets_counts_and_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_of()
    with NlaPeer(tmp_path, {USER: (PASSWORD, "good")}) as peer:
        refused = probed(target_at("rdp", peer.port, "wrong"), book)
        assert (refused.code, peer.count("visit")) == ("rdp_bad_credentials", 1)
        broken_tls(monkeypatch)
        report = probed(target_at("rdp", peer.port, "wrong"), book)
        step = report.step("tls")
        assert step is not None
        assert (report.code, step.facts["second_opinion"]) == ("opinions_differ", "ERRCONNECT_LOGON_FAILURE")
        assert endings(book, peer.port) == ["refused", "withdrawn", "refused"]


def test_xfreerdp_gets_beyond_our_broken_tls_and_only_to_the_confirmed_certificate(
    shadow: Shadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = run(target_at("rdp", shadow.port), limits=LIMITS).step("tls")
    broken_tls(monkeypatch)
    assert healthy is not None
    found = []
    for pin in (healthy.facts["fingerprint"], "sha256:" + "0" * 64):
        book = book_of()
        report = probed(target_at("rdp", shadow.port, pins=frozenset([pin])), book)
        step = report.step("tls")
        assert step is not None
        found.append((report.code, str(step.facts["second_opinion"]), endings(book, shadow.port)))
    assert found[0] == ("opinions_differ", "login done", ["withdrawn", "accepted"])
    assert found[1][0] == "tls_failed"
    assert found[1][2] == ["withdrawn", "withdrawn"]


@pytest.mark.skipif(rdp_opinion.program() is None, reason="xfreerdp or Xvfb is not installed")
def test_an_rdp_service_that_closes_is_red_for_both() -> None:
    with RdpPeer("closes") as peer:
        report = probed(target_at("rdp", peer.port))
        step = report.step("x224")
    assert step is not None
    assert (report.status, step.code) == ("fail", "closed_before_banner")
    assert step.facts["second_opinion"].startswith("ERRCONNECT_")


def test_an_rdp_service_is_asked_by_one_client_where_the_other_must_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RdpPeer("closes") as peer:
        probed(target_at("rdp", peer.port), depth=Depth.IDENTIFY)
        probed(target_at("rdp", peer.port), book_of(refusals=1))
        monkeypatch.setattr(rdp_opinion, "program", lambda: None)
        probed(target_at("rdp", peer.port))
        assert peer.visits == 3


def test_the_password_stands_on_no_command_line() -> None:
    target = target_at("rdp", 3389, pins=frozenset(["sha256:" + "ab" * 32]))
    command = rdp_opinion._command("2001:db8::1", 3389, target)
    assert PASSWORD not in " ".join(command)
    assert "/v:[2001:db8::1]:3389" in command
    assert any(option.startswith("/cert:deny,fingerprint:sha256:ab:ab") for option in command)
