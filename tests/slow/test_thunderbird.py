"""Thunderbird itself: the calendar is read-only to it, and its own cache shows a move and a cancellation."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures import thunderbird
from fixtures.databases import Database
from tests.calendars.every_kind import CANCELLED
from tests.calendars.serving import Served, serve
from tests.unit.calendars.desk import LUIS, NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def served(sqlite_database: Database) -> Iterator[Served]:
    yield from serve(sqlite_database)


def uid(number: int) -> str:
    return f"{number:08d}-8c1e-4f6e-9a44-0d2f5ad1c001@citas.example.es"


def test_thunderbird_keeps_the_calendar_in_step(served: Served, tmp_path: Path) -> None:
    if reason := thunderbird.missing():
        pytest.skip(reason)
    with thunderbird.running(tmp_path) as client:
        url, user, password = served.credentials
        client.subscribe(f"{url}calendars/1/interventions/", user, password)
        first = client.until(lambda cache: len(cache) >= CANCELLED)
        assert set(first) == {uid(number) for number in range(1, CANCELLED + 1)}
        assert first[uid(2)] == thunderbird.Cached(
            "✔ Asterisk · Clínica Sol", int((NOW + timedelta(hours=25, minutes=20)).timestamp()), "CONFIRMED"
        )
        assert client.state() == {"readOnly": True, "disabled": None}

        later = NOW + timedelta(days=9)
        served.desk.change(2, starts_at=later, ends_at=later + HOUR, sequence=1)
        served.desk.change(3, status="cancelled", sequence=1)
        served.desk.change(5, verdict="not_ready", checked_at=NOW)
        served.desk.change(6, technician_id=LUIS)
        client.refresh()
        second = client.until(lambda cache: uid(6) not in cache and cache[uid(3)].status == "CANCELLED")
        assert set(first) - set(second) == {uid(6)}
        assert second[uid(2)].start == int(later.timestamp())
        assert (second[uid(3)].title[:11], second[uid(3)].status) == ("[CANCELADA]", "CANCELLED")
        assert "SIN ACCESO" in second[uid(5)].title
        same = [name for name in second if first.get(name) == second[name]]
        assert len(same) == CANCELLED - 4
        assert client.state() == {"readOnly": True, "disabled": None}
