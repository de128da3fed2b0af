"""What cannot be waited for: every field's refusal, and how many entries a customer may have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fixtures.databases import Database, copy_file
from scheduler.rules.refusals import (
    BeyondHorizon,
    DurationNotOffered,
    InvalidInput,
    LeadTimeTooShort,
    NotFound,
    RangeHasFreeTimes,
    Refusal,
    ToolNotAccepted,
    TopicRequired,
)
from scheduler.store.models import WaitingEntry
from tests.services.conftest import LUZ, SOL, Bench, make_bench
from tests.services.waiting_desk import THURSDAY, fill, join


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Bench]:
    """A desk whose Wednesday is full; nothing that these tests ask for is ever written."""
    file = tmp_path_factory.mktemp("full") / "ventana.db"
    database = Database("sqlite", copy_file(sqlite_template, file))
    bench = make_bench(database)
    fill(bench)
    yield bench
    database.close()


BAD = [
    ({"from_on": ""}, InvalidInput, "from_on", "required"),
    ({"from_on": "mañana"}, InvalidInput, "from_on", "not_a_date"),
    ({"from_on": "2026-11-23"}, InvalidInput, "from_on", "in_the_past"),
    ({"until_on": "2026-11-23"}, InvalidInput, "until_on", "in_the_past"),
    ({"from_on": "2026-11-26"}, InvalidInput, "until_on", "before_start"),
    ({"until_on": "2026-12-26"}, InvalidInput, "until_on", "range_too_long"),
    ({"zone": "Mars/Olympus"}, InvalidInput, "zone", "not_a_zone"),
    ({"description": "Uso TeamViewer"}, ToolNotAccepted, "description", ""),
    ({"minutes": 45}, DurationNotOffered, "duration", ""),
    ({"from_on": "2026-11-24", "until_on": "2026-11-24"}, LeadTimeTooShort, "start", ""),
    ({"from_on": "2027-02-10", "until_on": "2027-02-10"}, BeyondHorizon, "start", ""),
    ({"until_on": "2026-11-26"}, RangeHasFreeTimes, "start", ""),
    ({"technician_id": 999}, NotFound, None, ""),
    ({"access_point_id": 999}, NotFound, None, ""),
    ({"entitlement_id": 999}, NotFound, None, ""),
]


@pytest.mark.parametrize(("changed", "refusal", "field", "problem"), BAD)
def test_what_cannot_be_waited_for_is_refused_and_nothing_is_written(
    full: Bench, changed: dict[str, Any], refusal: type[Refusal], field: str | None, problem: str
) -> None:
    with pytest.raises(refusal) as caught:
        join(full, SOL, **changed)
    assert caught.value.field == field
    assert getattr(caught.value, "problem", "") == problem
    with full.writing() as (session, _):
        assert session.scalar(select(WaitingEntry.id)) is None


def test_free_support_asks_for_its_topic_before_anybody_waits(full: Bench) -> None:
    with pytest.raises(TopicRequired):
        join(full, LUZ)


def test_the_same_days_are_waited_for_once_and_not_too_many(bench: Bench) -> None:
    fill(bench)
    join(bench, SOL)
    with pytest.raises(InvalidInput) as twice:
        join(bench, SOL, minutes=120)
    assert (twice.value.field, twice.value.problem) == ("waiting", "waiting_already")
    fill(bench, THURSDAY)
    join(bench, SOL, until_on="2026-11-26")
    join(bench, SOL, from_on="2026-11-26", until_on="2026-11-26")
    with pytest.raises(InvalidInput) as many:
        join(bench, SOL, from_on="2026-11-24", until_on="2026-11-26")
    assert (many.value.problem, many.value.facts["limit"]) == ("too_many", 3)
