"""Arithmetic on seconds, against that on intervals."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules import intervals, spans
from scheduler.rules.intervals import Interval
from tests.unit.rules.moments import utc

START = utc("2026-11-24T00:00")
SECOND = timedelta(seconds=1)


@st.composite
def some_times(draw: st.DrawFn) -> list[Interval]:
    pairs = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=8))
    return [Interval(START + at * SECOND, START + (at + long) * SECOND) for at, long in pairs]


@given(some_times(), some_times(), st.integers(0, 3))
def test_seconds_say_what_intervals_say(one: list[Interval], other: list[Interval], buffer: int) -> None:
    ours, theirs = spans.spans_of(one), spans.spans_of(other)
    around = [Interval(each.start - buffer * SECOND, each.end + buffer * SECOND) for each in other]
    assert spans.intervals_of(spans.merged(ours)) == intervals.merge(one)
    assert spans.intervals_of(spans.without(ours, theirs, buffer)) == intervals.subtract(one, around)
    assert spans.intervals_of(spans.in_both(ours, theirs)) == intervals.intersect(one, other)


def test_a_second_that_is_not_whole_is_not_open() -> None:
    half = timedelta(microseconds=500_000)
    at = int(START.timestamp())
    assert spans.spans_of([Interval(START + half, START + 3 * SECOND + half)]) == [(at + 1, at + 3)]
    assert spans.spans_of([Interval(START + half, START + SECOND)]) == []
