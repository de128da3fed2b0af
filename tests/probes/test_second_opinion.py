"""Before a red light for a handshake another client is asked; it never brings a name or a secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from fixtures import sshd
from fixtures.ssh_bad_peers import BadPeer
from fixtures.ssh_peers import AsyncsshPeer, Door, ParamikoPeer
from probes import second_opinion
from probes.dial import Way
from probes.report import Outcome
from probes.target import Credential, CredentialKind
from tests.probes.conftest import HURRIED
from tests.probes.relay import RecordingRelay, clear_messages

if TYPE_CHECKING:
    from tests.probes.conftest import Identity, Probe

PASSWORD = Credential(CredentialKind.PASSWORD, "canary-second")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the other client visited."""
    visits: list[str] = []
    ask = second_opinion._ask

    async def noted(way: Way, seconds: float) -> second_opinion.Opinion:
        visits.append(f"{way.addresses[0]}:{way.port}")
        return await ask(way, seconds)

    monkeypatch.setattr(second_opinion, "_ask", noted)
    return visits


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("closes", "closed_before_banner"),
        ("closes_in_kex", "disconnected_in_kex"),
        ("silent", "banner_timeout"),
    ],
)
def test_a_failure_that_both_see_is_red_and_carries_both(
    behaviour: str, code: str, asked: list[str], probe_at: Probe
) -> None:
    with BadPeer(behaviour) as peer:
        report = probe_at(peer.port, credential=PASSWORD, trust_first_use=True, limits=HURRIED)
        assert asked == [f"127.0.0.1:{peer.port}"]
        assert b"canary" not in peer.received
        assert b"soporte" not in peer.received
    step = next(step for step in report.steps if step.code == code)
    assert (report.status, step.facts["first_opinion"]) == ("fail", code)
    assert step.facts["second_opinion"]
    assert json.dumps(report.as_dict())


def test_where_the_other_gets_through_the_light_is_not_red(
    server: sshd.Sshd, identity: Identity, probe_at: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours, made by hand: our client offers what the server does not have, while it has the rest."""
    from probes import ssh_client

    def broken(target: object, watcher: object) -> dict[str, object]:
        options = real(target, watcher)  # type: ignore[arg-type]  # passed on as it came
        return {**options, "mac_algs": ("hmac-md5",), "encryption_algs": ("3des-cbc",)}

    real = ssh_client.connect_options
    monkeypatch.setattr("probes.ssh.connect_options", broken)
    with RecordingRelay(server.port) as relay:
        report = probe_at(relay.port, server.username, identity.ours, pins=(server.host_key_line(),))
    kex = report.step("kex")
    assert kex is not None
    assert (report.status, report.code, kex.outcome) == ("unknown", "opinions_differ", Outcome.SKIPPED)
    assert kex.facts["second_opinion"] == "handshake done"
    assert not [number for number in clear_messages(relay.sent) if number == 5 or number >= 50]


@pytest.mark.parametrize("make", [AsyncsshPeer, ParamikoPeer], ids=["asyncssh", "paramiko"])
def test_a_refused_login_is_never_tried_again(
    make: Callable[[Door], AsyncsshPeer], asked: list[str], probe_at: Probe
) -> None:
    with make(Door(password="another", methods=("password",))) as peer:
        report = probe_at(peer.port, credential=PASSWORD, pins=(peer.host_key_line(),))
        assert peer.seen.passwords == ["canary-second"]
    assert (report.code, asked) == ("auth_failed", [])


def test_a_changed_key_a_wrong_service_and_the_legacy_profile_need_no_other_opinion(
    stranger: Identity, asked: list[str], probe_at: Probe
) -> None:
    with AsyncsshPeer(Door()) as peer:
        changed = probe_at(peer.port, credential=PASSWORD, pins=(stranger.public,))
    with BadPeer("http") as peer:
        wrong = probe_at(peer.port, limits=HURRIED)
    with BadPeer("closes_in_kex") as peer:
        old = probe_at(peer.port, limits=HURRIED, profile="legacy")
    assert (changed.code, wrong.code, old.code) == ("hostkey_changed", "wrong_service", "disconnected_in_kex")
    assert asked == []


def test_a_door_that_closes_meanwhile_is_an_opinion_too(probe_at: Probe) -> None:
    """The first visitor is hung up on, and then nobody listens any more."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def hang_up() -> None:
        sock, _ = listener.accept()
        listener.close()
        sock.close()

    import threading

    threading.Thread(target=hang_up, daemon=True).start()
    report = probe_at(port, limits=HURRIED)
    step = report.step("service")
    assert step is not None
    assert report.status == "fail"
    assert step.facts["second_opinion"] == "tcp_refused"
