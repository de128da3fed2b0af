"""Bookable slots, against a search through every quarter of an hour."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.rules.hours import WeeklyHours, open_intervals, parse_weekly_hours
from scheduler.rules.intervals import Interval
from scheduler.rules.slots import Slot, bookable_slots, nearest
from scheduler.rules.spans import instant, spans_of, split_starts, without
from tests.unit.rules.moments import (
    DAY,
    MADRID,
    MINUTE,
    every,
    is_open,
    span,
    utc,
    weekly_hours,
    zones_and_days,
)

QUARTER = timedelta(minutes=15)
HALF = timedelta(minutes=30)
HOUR = timedelta(hours=1)
NIGHT_AND_DAY = parse_weekly_hours({str(day): [["00:00", "24:00"]] for day in range(1, 8)})


def starts(slots: tuple[Slot, ...], zone: ZoneInfo = MADRID) -> list[str]:
    return [slot.start.astimezone(zone).strftime("%H:%M") for slot in slots]


@settings(max_examples=50, deadline=None)
@given(
    zones_and_days(),
    weekly_hours(),
    st.lists(st.tuples(st.integers(0, 3 * 288), st.integers(1, 30)), max_size=6),
    st.sampled_from([15, 30]),
    st.sampled_from([30, 60, 90, 120]),
    st.integers(0, 600),
    st.sampled_from([0, 10, 30]),
)
def test_the_slots_are_exactly_those_that_keep_every_rule(
    where: tuple[ZoneInfo, datetime],
    weekly: WeeklyHours,
    busy_places: list[tuple[int, int]],
    grid: int,
    duration: int,
    lead: int,
    buffer: int,
) -> None:
    zone, day = where
    window = Interval(day - DAY, day + 2 * DAY)
    busy = [
        Interval(window.start + n * 5 * MINUTE, window.start + (n + m) * 5 * MINUTE) for n, m in busy_places
    ]
    not_before = window.start + lead * MINUTE
    found = bookable_slots(
        open_intervals(weekly, zone, (), (), window),
        busy,
        duration * MINUTE,
        grid * MINUTE,
        zone,
        not_before,
        buffer * MINUTE,
    )
    fives = every(5 * MINUTE, window)
    free = {at for at in fives if is_open(at, weekly, zone)} - {
        at for at in fives for each in busy if each.start - buffer * MINUTE <= at < each.end + buffer * MINUTE
    }
    expected = [
        at
        for at in fives
        if at >= not_before
        and at.astimezone(zone).minute % grid == 0
        and all(at + n * 5 * MINUTE in free for n in range(duration // 5))
    ]
    assert [slot.start for slot in found] == expected
    assert all(slot.end - slot.start == duration * MINUTE for slot in found)


@settings(max_examples=50, deadline=None)
@given(
    zones_and_days(),
    weekly_hours(),
    st.lists(st.tuples(st.integers(0, 3 * 288), st.integers(1, 30)), max_size=6),
    st.sampled_from([30, 60, 90, 120]),
    st.sampled_from([0, 10, 30]),
)
def test_starts_are_split_into_those_of_one_technician_and_those_left(
    where: tuple[ZoneInfo, datetime],
    weekly: WeeklyHours,
    busy_places: list[tuple[int, int]],
    duration: int,
    buffer: int,
) -> None:
    zone, day = where
    window = Interval(day - DAY, day + 2 * DAY)
    busy = [
        Interval(window.start + n * 5 * MINUTE, window.start + (n + m) * 5 * MINUTE) for n, m in busy_places
    ]
    opens = open_intervals(weekly, zone, (), (), window)
    rest = (duration * MINUTE, 30 * MINUTE, zone, window.start)
    anybody = [slot.start for slot in bookable_slots(opens, (), *rest)]
    own = [slot.start for slot in bookable_slots(opens, busy, *rest, buffer * MINUTE)]
    free = without(spans_of(opens), spans_of(busy), buffer * 60)
    taken, left = split_starts([int(at.timestamp()) for at in anybody], duration * 60, free)
    assert [instant(at) for at in taken] == own
    assert [instant(at) for at in sorted(taken + left)] == anybody


def test_a_slot_ends_with_the_open_hours_and_never_spans_the_break() -> None:
    opens = (span("2026-11-24T08:00", "2026-11-24T10:00"), span("2026-11-24T11:00", "2026-11-24T12:00"))
    found = bookable_slots(opens, (), HOUR, HALF, MADRID, utc("2026-11-24T00:00"))
    assert starts(found) == ["09:00", "09:30", "10:00", "12:00"]


def test_touching_open_hours_are_one() -> None:
    opens = (span("2026-11-24T08:00", "2026-11-24T08:30"), span("2026-11-24T08:30", "2026-11-24T09:00"))
    assert starts(bookable_slots(opens, (), HOUR, HALF, MADRID, utc("2026-11-24T00:00"))) == ["09:00"]


def test_the_grid_is_the_wall_clock_not_utc() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    opens = (span("2026-11-24T03:20", "2026-11-24T05:00"),)
    found = bookable_slots(opens, (), HALF, HALF, kathmandu, utc("2026-11-24T00:00"))
    assert starts(found, kathmandu) == ["09:30", "10:00"]
    assert found[0].start == utc("2026-11-24T03:45")


def test_the_buffer_stays_free_on_both_sides() -> None:
    opens, busy = (
        (span("2026-11-24T08:00", "2026-11-24T13:00"),),
        (span("2026-11-24T10:00", "2026-11-24T11:00"),),
    )
    free = bookable_slots(opens, busy, HOUR, HALF, MADRID, utc("2026-11-24T00:00"))
    spaced = bookable_slots(opens, busy, HOUR, HALF, MADRID, utc("2026-11-24T00:00"), QUARTER)
    assert starts(free) == ["09:00", "09:30", "10:00", "12:00", "12:30", "13:00"]
    assert starts(spaced) == ["09:00", "09:30", "12:30", "13:00"]


def test_the_skipped_hour_offers_nothing_and_the_repeated_one_twice() -> None:
    spring, autumn = (
        open_intervals(NIGHT_AND_DAY, MADRID, (), (), span(f"{day}T00:00", f"{day}T03:00"))
        for day in ("2027-03-28", "2027-10-31")
    )
    long_ago = utc("2027-01-01T00:00")
    assert starts(bookable_slots(spring, (), HALF, HALF, MADRID, long_ago)) == [
        "01:00", "01:30", "03:00", "03:30", "04:00", "04:30"
    ]  # fmt: skip
    assert starts(bookable_slots(autumn, (), HALF, HALF, MADRID, long_ago)) == [
        "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"
    ]  # fmt: skip


def test_the_half_hour_of_lord_howe_moves_the_grid_with_the_wall() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    opens = (span("2027-04-03T14:00", "2027-04-03T16:30"),)
    found = bookable_slots(opens, (), HALF, HOUR, lord_howe, utc("2027-01-01T00:00"))
    assert starts(found, lord_howe) == ["01:00", "02:00"]
    assert found[1].start - found[0].start == timedelta(minutes=90), "01:30 to 02:00 comes twice"


def test_nothing_open_or_nothing_left() -> None:
    day = (span("2026-11-24T08:00", "2026-11-24T13:00"),)
    assert bookable_slots((), (), HOUR, HALF, MADRID, utc("2026-11-24T00:00")) == ()
    assert bookable_slots(day, day, HOUR, HALF, MADRID, utc("2026-11-24T00:00")) == ()
    assert bookable_slots(day, (), HOUR, HALF, MADRID, utc("2026-11-24T12:01")) == ()


@pytest.mark.parametrize(
    ("duration", "grid", "buffer"),
    [
        (timedelta(0), HALF, timedelta(0)),
        (HOUR, timedelta(0), timedelta(0)),
        (HOUR, timedelta(minutes=7), timedelta(0)),
        (HOUR, HALF, -MINUTE),
    ],
)
def test_impossible_measures_are_refused(duration: timedelta, grid: timedelta, buffer: timedelta) -> None:
    with pytest.raises(ValueError, match="positive duration"):
        bookable_slots((), (), duration, grid, MADRID, utc("2026-11-24T00:00"), buffer)


def test_a_naive_lower_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="not_before is naive"):
        bookable_slots((), (), HOUR, HALF, MADRID, datetime(2026, 11, 24))


def test_the_nearest_slots_come_in_time_order() -> None:
    slots = [
        Slot(utc(f"2026-11-24T{hour:02}:00"), utc(f"2026-11-24T{hour:02}:30")) for hour in (8, 9, 11, 12, 15)
    ]
    assert [slot.start.hour for slot in nearest(slots, utc("2026-11-24T10:00"))] == [8, 9, 11]
    assert [slot.start.hour for slot in nearest(slots, utc("2026-11-24T14:00"), count=2)] == [12, 15]
    assert nearest((), utc("2026-11-24T14:00")) == ()
