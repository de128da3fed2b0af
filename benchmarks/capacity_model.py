"""A day's load and the queues it meets, in numbers only: what `capacity` simulates with the costs it has measured.

Arrivals are drawn, not averaged: bookings follow the office day with a peak on each hour, sessions begin on the half
hour and their checks with them. A queue is served first come first served by so many servers (exact, event by event).
"""

import heapq
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

HOUR = 3600.0
OPEN = (9, 10, 11, 12, 13, 15, 16, 17)
"""Hours in which sessions begin; people book from 8 to 20."""
BY_HOUR = {8: 4, 9: 12, 10: 14, 11: 13, 12: 11, 13: 8, 14: 4, 15: 6, 16: 10, 17: 9, 18: 6, 19: 3}
"""How the day's bookings are spread, in percent: the assumption that sets the peak hour."""
AT_THE_HOUR, PEAK_SECONDS = 0.25, 180.0
"""A quarter of an hour's visitors come within three minutes after it strikes."""
PAGES = 8
"""Pages of one booking: the five steps with a look at another week, the booking's own page and one later visit."""
CHECKS = 5
FULL_HOURS = 2 / 3
"""Share of sessions that begin on the full hour; the others on the half."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a day brings; the desks of the issue have a hundred customers and ten bookings a day each."""

    desks: int

    @property
    def bookings(self) -> int:
        """A day's."""
        return self.desks * 10

    @property
    def customers(self) -> int:
        """All of them."""
        return self.desks * 100

    @property
    def checks(self) -> int:
        """A day's."""
        return self.bookings * CHECKS


def waits(arrivals: Iterable[float], takes: Iterable[float], servers: int) -> list[float]:
    """Seconds that each waits before one of the servers begins with it; arrivals in order of time."""
    free = [-math.inf] * servers
    waited = []
    for at, seconds in zip(arrivals, takes, strict=False):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + seconds)
        waited.append(begins - at)
    return waited


def lateness(
    due: Iterable[float], workers: int, at_once: int, cpu: float, network: Callable[[], float]
) -> list[float]:
    """Seconds from when each check is due until its probe begins.

    A worker tries `at_once` doors at a time and has one core: a check takes a place, then the core for `cpu` seconds,
    and keeps the place while the far end answers.
    """
    places, cores = [-math.inf] * (workers * at_once), [-math.inf] * workers
    late = []
    for at in due:
        begins = max(at, places[0], cores[0])
        heapq.heapreplace(cores, begins + cpu)
        heapq.heapreplace(places, begins + cpu + network())
        late.append(begins - at)
    return late


def booked_at(load: Load, hour: int, chance: random.Random) -> list[float]:
    """When the bookings of one hour of the day are made, in seconds from the hour."""
    count = round(load.bookings * BY_HOUR[hour] / 100)
    peak = round(count * AT_THE_HOUR)
    moments = [chance.uniform(0, PEAK_SECONDS) for _ in range(peak)]
    return sorted(moments + [chance.uniform(0, HOUR) for _ in range(count - peak)])


def checks_due(load: Load, spread: float, chance: random.Random) -> list[float]:
    """When checks are due in the fullest hour of the day, in seconds, each up to `spread` seconds early.

    Three of a booking's four planned checks come on whole hours before it, the fourth half an hour before it; each of
    the day's hours gets its share, and the fullest half hour is what `FULL_HOURS` of them bring together. The fifth is
    made when the booking is, and comes when bookings come.
    """
    sessions = load.bookings / len(OPEN)
    on_the_hour = round(sessions * (3 * FULL_HOURS + (1 - FULL_HOURS)))
    on_the_half = round(sessions * (3 * (1 - FULL_HOURS) + FULL_HOURS))
    due = [spread - chance.uniform(0, spread) for _ in range(on_the_hour)]
    due += [HOUR / 2 + spread - chance.uniform(0, spread) for _ in range(on_the_half)]
    return sorted(due + [spread + moment for moment in booked_at(load, 10, chance)])


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of all do not exceed; 0.99 for the 99th percentile."""
    return sorted(values)[math.ceil(len(values) * part) - 1]


def fewest(enough: Callable[[int], bool], most: int = 100_000) -> int:
    """The smallest number that is enough, where more never hurts. Raises ValueError beyond `most`."""
    high = 1
    while not enough(high):
        high *= 2
        if high > most:
            raise ValueError(f"even {most} are not enough")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def most(bearable: Callable[[int], bool]) -> int:
    """The largest number that can still be borne; 0 when not even one can."""
    return fewest(lambda number: not bearable(number)) - 1


def erlang_c(servers: int, offered: float) -> float:
    """Probability of having to wait in M/M/c at `offered` Erlang, by the usual stable recursion."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return servers * blocked / (servers - offered * (1 - blocked))
