"""Times as whole seconds since 1970 (UTC), for searches over thousands of bookings.

The same arithmetic as that of intervals, on pairs of integers: what a large team's availability costs is mostly
making objects. Nothing here knows zones or clocks; who asks makes spans of intervals, and instants of starts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import ceil, floor

from scheduler.rules.intervals import Interval

Span = tuple[int, int]
"""[start, end) in seconds."""


def spans_of(intervals: Iterable[Interval]) -> list[Span]:
    """The whole seconds that lie inside each interval; one without any is left out."""
    found = [(ceil(each.start.timestamp()), floor(each.end.timestamp())) for each in intervals]
    return [span for span in found if span[0] < span[1]]


def intervals_of(spans: Iterable[Span]) -> tuple[Interval, ...]:
    """The same times as intervals."""
    return tuple(Interval(instant(start), instant(end)) for start, end in spans)


def instant(seconds: int) -> datetime:
    """The moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; touching ones become one."""
    found: list[Span] = []
    first, last = 0, -1
    for start, end in sorted(spans):
        if last < first:
            first, last = start, end
        elif start > last:
            found.append((first, last))
            first, last = start, end
        elif end > last:
            last = end
    return [*found, (first, last)] if first < last else found


def without(spans: Iterable[Span], holes: Iterable[Span], buffer: int = 0) -> list[Span]:
    """The time of the first that is in none of the second, nor within `buffer` of it; merged and in order."""
    taken = merged((start - buffer, end + buffer) for start, end in holes)
    left: list[Span] = []
    position = 0
    for start, end in merged(spans):
        while position < len(taken) and taken[position][1] <= start:
            position += 1
        probe, free = position, start
        while probe < len(taken) and taken[probe][0] < end:
            if taken[probe][0] > free:
                left.append((free, taken[probe][0]))
            free = taken[probe][1]
            probe += 1
        if free < end:
            left.append((free, end))
    return left


def in_both(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """The time that is in both, merged and in order."""
    ours = merged(one)
    return without(ours, without(ours, other))


def split_starts(starts: Sequence[int], duration: int, free: Iterable[Span]) -> tuple[list[int], list[int]]:
    """The starts whose whole `duration` lies in one free span, and the others; starts and spans come in order.

    A team is searched by handing what one member left to the next: a start is looked at until somebody takes it.
    """
    taken: list[int] = []
    left: list[int] = []
    position = 0
    for first, end in free:
        if end - first >= duration:
            low = bisect_left(starts, first, position)
            high = bisect_right(starts, end - duration, low)
            left += starts[position:low]
            taken += starts[low:high]
            position = high
    left += starts[position:]
    return taken, left
