"""The assembled service reads calendars by its own settings, its engine woken by the row."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures.calendar_server import calendar, meeting, serving
from scheduler.actor import SYSTEM
from scheduler.bootstrap import build
from scheduler.busy import calendars
from scheduler.operation.loading import DeskFile, load
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import BusyCalendar, BusyTime, Technician
from tests.services.conftest import NOW, desk_document


def test_a_calendar_is_read_by_the_running_engine_soon_after_it_was_added(tmp_path: Path) -> None:
    with serving() as server:
        url = server.publish("/m.ics", calendar(meeting("a", "20261126T090000Z", "20261126T100000Z")))
        reach = (f"127.0.0.1:{server.port}",)
        service = build(Settings(folder=tmp_path, loopback_ports=reach), lambda: NOW, make_schema=True)
        recorded, work = threading.Event(), service.works[calendars.KIND]
        with write(service.sessions) as session:
            file = DeskFile.model_validate(desk_document())
            desk = load(session, service.installation, service.vault, NOW, file)
        assert work.partition is not None
        service.engine.start()
        try:
            with write(service.sessions) as session:
                marta = session.scalars(select(Technician.id).order_by(Technician.id)).first()
                assert marta
                calendars.add_calendar(session, desk, service.vault, NOW, SYSTEM, marta, url)
            row = BusyCalendar()
            for _ in range(300):
                with read(service.sessions) as session:
                    row = session.scalars(select(BusyCalendar)).one()
                if row.tried_at is not None:
                    break
                recorded.wait(0.1)
            else:
                pytest.fail("the engine has not read it in half a minute")
            assert (row.problem, row.good_at) == (None, NOW)
            with read(service.sessions) as session:
                assert len(session.scalars(select(BusyTime)).all()) == 1
        finally:
            service.close()
