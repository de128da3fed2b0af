"""Nothing is booked inside the lead time, by any way in: every verb, the API, and SQL past the product.

Zones, weeks, holidays, clock changes and the moment are drawn; what was let in is counted again minute by minute, by
code that shares nothing with the product's. A desk that forgets its holidays, and a table without its guard, must be
found out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.databases import Database
from fixtures.served import ALWAYS
from scheduler.context import DeskContext
from scheduler.rules.lead_time import LeadTime
from scheduler.settings import Settings
from scheduler.slots.availability import lead_ledger
from scheduler.store import guards
from scheduler.store.engines import write
from scheduler.store.models import Booking, Desk, Technician
from tests.faults.booking_paths import Ways, ways_of
from tests.faults.conftest import Measured
from tests.faults.sizes import size
from tests.services.conftest import HOURS, make_bench

EXAMPLES = size(8, 300)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
Week = Mapping[str, list[tuple[str, str]]]
OFFICE: Week = {day: [*spans] for day, spans in HOURS.items()}
NIGHTS: Week = {day: [("00:00", "06:00"), ("21:30", "24:00")] for day in "1567"}
ROUND_THE_CLOCK: Week = {day: [("00:00", "24:00")] for day in ALWAYS}
ZONES = ("Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns")
NIGHTS_OF_CHANGE = (datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, tzinfo=UTC))
MOMENTS = (*NIGHTS_OF_CHANGE, datetime(2026, 12, 23, tzinfo=UTC), datetime(2027, 3, 13, tzinfo=UTC))
LEADS = (LeadTime(480, "attention"), LeadTime(480, "elapsed"), LeadTime(90, "attention"))
CONTROL_SQL = {
    "sqlite": "DROP TRIGGER booking_lead_time",
    "postgresql": "DROP TRIGGER booking_lead_time ON booking",
}


@dataclass(frozen=True)
class Case:
    """One desk at one moment, and how far from the earliest start somebody asks."""

    zone: str
    week: Week
    country: str
    lead: LeadTime
    now: datetime
    steps: int
    """In open half hours from the earliest start: before it when negative."""

    @property
    def closed(self) -> frozenset[date]:
        """The desk's holidays around."""
        if not self.country:
            return frozenset()
        return frozenset(holidays.country_holidays(self.country, years=(2026, 2027, 2028)))


CASES = st.builds(
    Case,
    zone=st.sampled_from(ZONES),
    week=st.sampled_from((OFFICE, NIGHTS, ROUND_THE_CLOCK)),
    country=st.sampled_from(("", "ES")),
    lead=st.sampled_from(LEADS),
    now=st.builds(
        lambda day, seconds: day + timedelta(seconds=seconds),
        st.sampled_from(MOMENTS),
        st.integers(0, 60 * 3600),
    ),
    steps=st.sampled_from((-1, 0, -2, 1, -5, 2)),
)


def open_at(case: Case, moment: datetime) -> bool:
    """Whether the desk's wall clock shows an open time of an open day."""
    local = moment.astimezone(ZoneInfo(case.zone))
    spans = case.week.get(str(local.isoweekday()), [])
    shown = f"{local:%H:%M}"
    return local.date() not in case.closed and any(first <= shown < last for first, last in spans)


def notice(case: Case, since: datetime, start: datetime, counted: str) -> timedelta:
    """How much notice the desk really had, minute by minute."""
    if counted == "elapsed":
        return start - since
    total, moment = timedelta(0), since
    while moment < start:
        after = min(start, moment.replace(second=0, microsecond=0) + MINUTE)
        total += (after - moment) if open_at(case, moment) else timedelta(0)
        moment = after
    return total


def too_soon(case: Case, row: Booking, since: datetime, way: str) -> bool:
    """Whether a row stands inside the lead time; SQL is held to the elapsed part, which the database knows."""
    counted = "elapsed" if way.startswith("sql") else case.lead.counted
    return notice(case, since, row.starts_at, counted) < timedelta(minutes=case.lead.minutes)


@dataclass
class Search:
    """One desk through many cases."""

    ways: Ways
    seen: Counter[tuple[str, bool]]
    names: tuple[str, ...]

    def try_all(self, case: Case) -> None:
        """Each way in, judged by what it left behind."""
        self._become(case)
        start = self._start(case)
        for name in self.names:
            self.ways.clock.now = case.now
            way = self.ways.all.get(name) or self.ways.forbidden[name]
            let_in = way(start)
            self.seen[name, let_in] += 1
            for row in self.ways.live():
                if row.starts_at == start:
                    assert let_in, (name, "refused, and there all the same")
                    assert not too_soon(case, row, self.ways.clock.now, name), (name, case, row.starts_at)
            self.ways.clear()

    def _become(self, case: Case) -> None:
        bench = self.ways.bench
        bench.now = self.ways.clock.now = case.now
        lead = MappingProxyType(dict.fromkeys(bench.installation.conditions.lead, case.lead))
        bench.installation = replace(
            bench.installation, conditions=replace(bench.installation.conditions, lead=lead)
        )
        with write(bench.database.sessions) as session:
            desk = session.get_one(Desk, 1)
            desk.zone, desk.weekly_hours = case.zone, dict(case.week)
            desk.holiday_country, desk.holiday_region = case.country, None
            for technician in session.query(Technician):
                technician.zone = case.zone

    def _start(self, case: Case) -> datetime:
        """An open half hour near what the product thinks the earliest: only the aim, never the judgment."""
        with self.ways.bench.writing() as (_, desk):
            aim = lead_ledger(desk, "maintenance", case.now).earliest_at
        forward = case.steps >= 0
        moment = _quarter(aim, forward)
        for _ in range(case.steps + 1 if forward else -case.steps):
            moment = _next_open(
                case, moment + (QUARTER if forward else -QUARTER), QUARTER if forward else -QUARTER
            )
        return max(moment, case.now + MINUTE)


def _quarter(moment: datetime, forward: bool) -> datetime:
    """The quarter of an hour from which the search begins, on this side of the moment."""
    down = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    return down - QUARTER if forward and down == moment else down


def _next_open(case: Case, moment: datetime, step: timedelta) -> datetime:
    while True:
        on_grid = moment.astimezone(ZoneInfo(case.zone)).minute % 30 == 0
        if on_grid and open_at(case, moment) and open_at(case, moment + timedelta(minutes=29)):
            return moment
        moment += step


def search(database: Database, folder: Path, examples: int, names: tuple[str, ...] = ()) -> Search:
    """Try the ways in through so many cases, the same ones each time."""
    ways = ways_of(make_bench(database), Settings(folder=folder))
    made = Search(ways, Counter(), names or (*ways.all, *ways.forbidden))

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a smaller example would cost more than it tells
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(CASES)
    def run(case: Case) -> None:
        made.try_all(case)

    run()
    return made


def test_nothing_is_booked_inside_the_lead_time(
    database: Database, tmp_path: Path, measured: Measured
) -> None:
    made = search(database, tmp_path, EXAMPLES)
    for name in made.ways.forbidden:
        assert not made.seen[name, True], name
    let_in = sum(count for (_, accepted), count in made.seen.items() if accepted)
    for name in set(made.ways.all) - {"sql_start"}:
        assert made.seen[name, True], f"{name} never let anybody in: it was not tried"
        assert made.seen[name, False], f"{name} never refused"
    assert not made.seen["sql_start", True]
    measured("ways into the lead time", database.kind, tries=made.seen.total(), let_in=let_in, too_soon=0)


def test_a_desk_that_forgets_its_holidays_is_found(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeskContext, "holidays_between", lambda *_: {})
    with pytest.raises(AssertionError, match="book"):
        search(sqlite_database, tmp_path, 100, ("book",))


def test_a_table_without_its_guard_is_found(database: Database, tmp_path: Path) -> None:
    assert set(guards.LEAD_TIME[database.kind]) == {"booking_lead_time"}
    with database.engine.begin() as connection:
        connection.exec_driver_sql(CONTROL_SQL[database.kind])
    with pytest.raises(AssertionError, match="sql_start"):
        search(database, tmp_path, 60, ("sql_start",))


def test_the_count_knows_the_nights_that_change() -> None:
    """The judge itself: a night of spring is an hour short, one of autumn an hour long."""
    case = Case("Europe/Madrid", ROUND_THE_CLOCK, "", LEADS[0], MOMENTS[0], 0)
    zone = ZoneInfo("Europe/Madrid")
    for day, hours in ((date(2027, 3, 28), 7), (date(2027, 10, 31), 9), (date(2027, 11, 1), 8)):
        first = datetime.combine(day, time(0), zone).astimezone(UTC)
        last = datetime.combine(day, time(8), zone).astimezone(UTC)
        assert notice(case, first, last, "attention") == timedelta(hours=hours)
