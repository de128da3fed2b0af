"""A real Asterisk behind a customer's door: a check that the scheduler runs, and what the session's page says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures import real_asterisk
from fixtures.real_asterisk import RealAsterisk, Unbuildable
from fixtures.sshd import free_port
from scheduler.actor import SYSTEM
from scheduler.checks import pins, planning
from scheduler.store.models import AccessPoint, Booking, Check, CustomerKey
from tests.web.technician_desk import MARTA, NOW, SOL, TechnicianDesk, make_desk

PORT = free_port()


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template, loopback_ports=(f"127.0.0.1:{PORT}",))
    yield made
    made.service.close()


@pytest.fixture
def pbx(desk: TechnicianDesk) -> Iterator[RealAsterisk]:
    """Asterisk 16 behind its own sshd, which knows the keys that the desk has made for its customers."""
    if (reason := real_asterisk.missing()) is not None:
        pytest.skip(reason)
    with desk.reading() as session:
        keys = list(session.scalars(select(CustomerKey.public_key)))
    running = RealAsterisk(authorized=keys, port=PORT)
    try:
        running.start()
    except Unbuildable as why:
        pytest.skip(f"no real Asterisk: {why}")
    yield running
    running.stop()


def book_at(desk: TechnicianDesk, pbx: RealAsterisk) -> int:
    """A session soon, whose door is that PBX with its host key confirmed."""
    row_id = desk.book(SOL, NOW + timedelta(minutes=40))
    with desk.writing() as (session, _):
        door = session.get_one(AccessPoint, session.get_one(Booking, row_id).access_point_id)
        door.host, door.port, door.username = "127.0.0.1", pbx.port, "root"
        pins.confirm_line(session, door, pbx.host_key_line(), "test", NOW)
    return row_id


def check(desk: TechnicianDesk, row_id: int) -> Check:
    """One more check of the session, run as the scheduler runs it."""
    with desk.writing() as (session, _):
        booking = session.get_one(Booking, row_id)
        asked = planning.ask(session, desk.clock.now, SYSTEM, booking.access_point, booking)
        check_id, rev = asked.id, asked.rev
    desk.service.run_check(check_id, rev)
    with desk.reading() as session:
        found = session.get_one(Check, check_id)
        assert [step.name for step in found.steps][-1] == "asterisk", [step.code for step in found.steps]
        return found


def page_of(desk: TechnicianDesk, row_id: int) -> str:
    text = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def test_its_version_and_channels_are_on_the_page_and_stopping_it_turns_the_light_red(
    desk: TechnicianDesk, pbx: RealAsterisk
) -> None:
    row_id = book_at(desk, pbx)
    pbx.call()
    green = check(desk, row_id)
    assert (green.verdict, green.code) == ("ready", None)
    facts = green.steps[-1].facts
    assert (facts["channels"], str(facts["version"])[:5]) == (2, "16.28")
    shown = page_of(desk, row_id)
    assert "Asterisk 16.28" in shown
    assert re.search(r"2 (canales activos|active channels)", shown)
    pbx.stop_pbx()
    desk.clock.now += timedelta(minutes=2)
    red = check(desk, row_id)
    assert (red.verdict, red.code) == ("not_ready", "asterisk_down")
    outcomes = {step.name: step.outcome for step in red.steps}
    assert {outcomes[name] for name in ("service", "host_key", "login", "command")} == {"ok"}
    assert desk.row(row_id).verdict == "not_ready"
    assert "sudo systemctl start asterisk" in page_of(desk, row_id)
