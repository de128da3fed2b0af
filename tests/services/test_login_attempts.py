"""Logins are counted over all customers, and one that was cut short is not repeated behind anybody's back."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from fixtures.ssh_peers import AsyncsshPeer, Door
from probes import engine
from probes.logins import PutOff, Why
from probes.report import Report
from scheduler.bookings import booking as bookings
from scheduler.checks import pins, running
from scheduler.checks.attempts import Allowance, StoredLogins
from scheduler.checks.explaining import remedy_of
from scheduler.checks.running import CheckRunner
from scheduler.checks.targets import Doors
from scheduler.operation import upkeep
from scheduler.rules.secret import Secret
from scheduler.store.models import AccessPoint, Check, LoginAttempt
from tests.services.conftest import LUZ, NOW, PONS, SOL, Bench, at


@pytest.fixture
def peer() -> Iterator[AsyncsshPeer]:
    """A server that refuses every password."""
    with AsyncsshPeer(Door(password="another", methods=("password",))) as running_peer:
        yield running_peer


def book(bench: Bench, peer: AsyncsshPeer, cif: str, hour: int = 10) -> int:
    """A booking whose door is that server, with a wrong password; its first check's id."""
    with bench.writing() as (session, desk):
        actor = bench.customer(session, cif)
        row = bookings.book(
            session, desk, NOW, actor, bench.request(session, cif, at(26, hour), topic="installation")
        )
        door = session.get_one(AccessPoint, row.access_point_id)
        door.host, door.port, door.username, door.credential_kind = (
            "127.0.0.1",
            peer.port,
            "soporte",
            "password",
        )
        secret = Secret(f"wrong of {cif}")
        door.credential = bench.vault.seal(secret, "access_point", door.id, "credential", door.credential_gen)
        pins.confirm_line(session, door, peer.host_key_line(), "test", NOW)
        return session.scalars(
            select(Check.id).where(Check.booking_id == row.id, Check.stage == "booked")
        ).one()


def runner(bench: Bench, peer: AsyncsshPeer, allowance: Allowance | None = None) -> CheckRunner:
    doors = Doors(bench.vault, loopback_ports=(f"127.0.0.1:{peer.port}",))
    return CheckRunner(
        bench.database.sessions,
        lambda: bench.now,
        bench.installation,
        doors,
        bookings.release_for_red,
        allowance or Allowance(),
    )


def outcome(bench: Bench, check_id: int) -> tuple[str, str | None, str | None]:
    """Verdict and code of a check, and the reason in its deciding step."""
    with bench.writing() as (session, _):
        check = session.get_one(Check, check_id)
        assert check.state == "done"
        step = next((step for step in check.steps if step.code == check.code), None)
        return check.verdict, check.code, step.facts.get("reason") if step else None


def attempts(bench: Bench) -> list[tuple[int | None, str | None]]:
    with bench.writing() as (session, _):
        rows = session.scalars(select(LoginAttempt).order_by(LoginAttempt.id))
        return [(row.check_id, row.ending) for row in rows]


def test_two_customers_who_name_one_host_share_its_allowance(bench: Bench, peer: AsyncsshPeer) -> None:
    first, second, third = (book(bench, peer, cif, hour) for cif, hour in ((SOL, 10), (PONS, 11), (LUZ, 12)))
    run = runner(bench, peer, Allowance(refusals=2))
    for check in (first, second, third):
        run.run(check, 1)
    assert outcome(bench, first)[:2] == outcome(bench, second)[:2] == ("not_ready", "auth_failed")
    assert outcome(bench, third) == ("unknown", "login_put_off", "refusals")
    assert peer.seen.passwords == [f"wrong of {SOL}", f"wrong of {PONS}"]
    assert attempts(bench) == [(first, "refused"), (second, "refused")]
    with bench.writing() as (session, desk):
        advice = remedy_of(session, session.get_one(Check, third), desk, "es")
        assert advice is not None
        assert "un cuarto de hora" in advice.text
        assert SOL not in advice.text


def test_after_a_quarter_of_an_hour_it_is_tried_again(bench: Bench, peer: AsyncsshPeer) -> None:
    checks = [book(bench, peer, SOL), book(bench, peer, PONS, 11)]
    run = runner(bench, peer, Allowance(refusals=1))
    run.run(checks[0], 1)
    bench.now += timedelta(minutes=14)
    run.run(book(bench, peer, LUZ, 12), 1)
    assert len(peer.seen.passwords) == 1
    bench.now += timedelta(minutes=1)
    run.run(checks[1], 1)
    assert outcome(bench, checks[1])[:2] == ("not_ready", "auth_failed")


def dies(doing: Callable[[], object]) -> None:
    """Run in a process of its own, which must be killed and not end."""
    child = os.fork()
    if child == 0:
        try:
            doing()
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it ended with {status} instead of being killed"


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("where", "name", "sent"),
    [
        (engine, "connect", 0),  # written down, and nothing sent yet
        (StoredLogins, "settle", 1),  # refused by the far end, and nobody was told
        (CheckRunner, "_record", 1),  # settled, but the check has no outcome
    ],
)
def test_a_login_that_was_cut_short_is_not_repeated(
    bench: Bench, peer: AsyncsshPeer, monkeypatch: pytest.MonkeyPatch, where: object, name: str, sent: int
) -> None:
    check = book(bench, peer, SOL)

    def doing() -> None:
        bench.database.engine.dispose(close=False)
        monkeypatch.setattr(where, name, die)
        runner(bench, peer).run(check, 1)

    dies(doing)
    assert len(peer.seen.passwords) == sent
    runner(bench, peer).run(check, 1)
    assert len(peer.seen.passwords) == sent
    assert outcome(bench, check) == ("unknown", "login_put_off", "interrupted")


def test_the_control_without_a_book_repeats_it(
    bench: Bench, peer: AsyncsshPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the peer and the kill show what the test above is about."""
    check = book(bench, peer, SOL)

    def uncounted(*one: Any, **more: Any) -> Report:
        return engine.run(*one, **{**more, "logins": None})

    monkeypatch.setattr(running, "run_probe", uncounted)

    def doing() -> None:
        bench.database.engine.dispose(close=False)
        monkeypatch.setattr(CheckRunner, "_record", die)
        runner(bench, peer).run(check, 1)

    dies(doing)
    runner(bench, peer).run(check, 1)
    assert len(peer.seen.passwords) == 2


def test_a_login_that_is_known_to_be_good_may_be_repeated(bench: Bench, peer: AsyncsshPeer) -> None:
    check = book(bench, peer, SOL)
    first, second = (
        StoredLogins(bench.database.sessions, lambda: NOW, Allowance(), token, check) for token in "ab"
    )
    first.settle(first.begin("203.0.113.9", 22, guessable=True), "accepted")
    assert isinstance(second.begin("203.0.113.9", 22, guessable=True), int)


def test_several_addresses_of_one_run_are_one_try(bench: Bench, peer: AsyncsshPeer) -> None:
    check = book(bench, peer, SOL)
    book_of_logins = StoredLogins(bench.database.sessions, lambda: NOW, Allowance(), "a", check)
    assert isinstance(book_of_logins.begin("203.0.113.9", 22, guessable=True), int)
    assert isinstance(book_of_logins.begin("203.0.113.10", 22, guessable=True), int)


def test_the_rate_counts_every_login(bench: Bench) -> None:
    logins = StoredLogins(bench.database.sessions, lambda: bench.now, Allowance(logins=3), "a")
    for _ in range(3):
        logins.settle(logins.begin("203.0.113.9", 22, guessable=False), "accepted")
    put_off = logins.begin("203.0.113.9", 22, guessable=False)
    assert put_off == PutOff(Why.RATE, NOW + timedelta(minutes=15))


def test_attempts_are_forgotten_after_a_day(bench: Bench) -> None:
    logins = StoredLogins(bench.database.sessions, lambda: bench.now, Allowance(), "a")
    logins.begin("203.0.113.9", 22, guessable=False)
    upkeep.forget(bench.database.sessions, lambda: NOW + timedelta(hours=23))
    assert len(attempts(bench)) == 1
    upkeep.forget(bench.database.sessions, lambda: NOW + timedelta(hours=25))
    assert attempts(bench) == []
