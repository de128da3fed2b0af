"""A booking's check against a real OpenSSH server: green, yellow and red, with what follows from each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures import sshd
from scheduler.bookings import booking as bookings
from scheduler.checks import pins
from scheduler.checks.explaining import explain, remedy_of
from scheduler.checks.running import CheckRunner
from scheduler.checks.targets import Doors
from scheduler.store.models import AccessPoint, Booking, Check, CustomerKey, Notice
from tests.services.conftest import NOW, SOL, Bench, at


@pytest.fixture
def pbx(bench: Bench, tmp_path: Path) -> Iterator[sshd.Sshd]:
    """The customer's PBX, which lets our key in."""
    if (reason := sshd.missing()) is not None:
        pytest.skip(reason)
    with bench.writing() as (session, _):
        keys = [key.public_key for key in session.scalars(select(CustomerKey))]
    with sshd.Sshd(tmp_path / "sshd", authorized=keys) as running:
        yield running


def book(bench: Bench, pbx: sshd.Sshd, confirmed: bool = True) -> int:
    """A booking whose door is that PBX; its first check's id."""
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, at(26, 10)))
        door = session.get_one(AccessPoint, row.access_point_id)
        door.host, door.port, door.username = "127.0.0.1", pbx.port, pbx.username
        if confirmed:
            pins.confirm_line(session, door, pbx.host_key_line(), "test", NOW)
        query = select(Check.id).where(Check.booking_id == row.id, Check.stage == "booked")
        return session.scalars(query).one()


def run(bench: Bench, pbx: sshd.Sshd, check_id: int, allowed: bool = True) -> tuple[str, str | None, str]:
    """Verdict and code of the check, and the light of its booking."""
    ports = (f"127.0.0.1:{pbx.port}",) if allowed else ()
    doors = Doors(bench.vault, loopback_ports=ports)
    runner = CheckRunner(
        bench.database.sessions, lambda: bench.now, bench.installation, doors, bookings.release_for_red
    )
    runner.run(check_id, 1)
    with bench.writing() as (session, _):
        check = session.get_one(Check, check_id)
        assert check.state == "done"
        assert check.booking_id is not None
        return check.verdict, check.code, session.get_one(Booking, check.booking_id).verdict


def test_a_pbx_that_answers_is_ready(bench: Bench, pbx: sshd.Sshd) -> None:
    check = book(bench, pbx)
    assert run(bench, pbx, check) == ("ready", None, "ready")
    with bench.writing() as (session, desk):
        views = explain(session, session.get_one(Check, check), desk, "es")
        assert {view.state for view in views} == {"ok"}
        assert "18.20.0" in views[-1].evidence
        assert session.scalars(select(Notice.kind).where(Notice.kind == "light_ok")).one()


def test_a_pbx_that_is_down_is_not_ready(bench: Bench, pbx: sshd.Sshd) -> None:
    pbx.set_pbx("down")
    assert run(bench, pbx, book(bench, pbx)) == ("not_ready", "asterisk_down", "not_ready")


def test_a_server_that_refuses_our_key_is_not_ready_and_the_remedy_is_the_key(
    bench: Bench, pbx: sshd.Sshd
) -> None:
    pbx.authorize([])
    check = book(bench, pbx)
    assert run(bench, pbx, check) == ("not_ready", "auth_failed", "not_ready")
    with bench.writing() as (session, desk):
        row = session.get_one(Check, check)
        advice = remedy_of(session, row, desk, "es")
        key = session.scalars(select(CustomerKey).where(CustomerKey.customer_id == 1)).one()
        assert advice is not None
        assert key.public_key.split()[1] in (advice.copyable or "")
        assert (
            key.public_key.split()[1]
            in session.scalars(select(Notice.text).where(Notice.kind == "light_fail")).one()
        )


def test_a_host_key_nobody_confirmed_is_at_risk(bench: Bench, pbx: sshd.Sshd) -> None:
    check = book(bench, pbx, confirmed=False)
    assert run(bench, pbx, check) == ("at_risk", "hostkey_unknown", "at_risk")
    with bench.writing() as (session, _):
        door = session.get_one(AccessPoint, session.get_one(Check, check).access_point_id)
        assert [(pin.state, pin.public_key) for pin in door.pins] == [("seen", pbx.host_key_line())]


def test_a_changed_host_key_is_not_ready(bench: Bench, pbx: sshd.Sshd, tmp_path: Path) -> None:
    check = book(bench, pbx)
    pbx.stop()
    with sshd.Sshd(tmp_path / "other", port=pbx.port) as impostor:
        assert run(bench, impostor, check) == ("not_ready", "hostkey_changed", "not_ready")
        assert "Accepted" not in impostor.log()


def test_a_closed_port_is_not_ready(bench: Bench, pbx: sshd.Sshd) -> None:
    check = book(bench, pbx)
    pbx.stop()
    assert run(bench, pbx, check) == ("not_ready", "tcp_refused", "not_ready")


def test_our_own_network_is_not_touched(bench: Bench, pbx: sshd.Sshd) -> None:
    check = book(bench, pbx)
    before = pbx.log()
    assert run(bench, pbx, check, allowed=False)[:2] == ("not_ready", "address_refused")
    assert pbx.log() == before
