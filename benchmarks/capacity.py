"""What one machine carries, and what ten thousand desks' load needs: measured costs put through simulated peak hours.

A desk has a hundred customers, ten bookings and fifty checks a day; ten thousand of them are a million customers, a
hundred thousand bookings and half a million checks a day. `docs/scale.md` says what is assumed and what follows.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat

from benchmarks import capacity_model as model
from benchmarks.capacity_costs import Costs, measure_costs
from benchmarks.capacity_model import CHECKS, PAGES, Load
from benchmarks.desks import kinds
from benchmarks.table import Line
from scheduler.engine.reconcile import KEEP, LOOK_AHEAD
from scheduler.engine.setup import AT_ONCE, TARGET_QUEUE

MANY_DESKS = 10_000
PEAK_HOUR = 10
SPREADS = (0.0, 60.0, 300.0, 600.0)
"""Seconds up to which checks are done early, so that they do not all come at once; today it is 0."""
SOON, TOLERABLE = 2.0, 60.0
"""Seconds of lateness at the 99th percentile: as promised for a thousand checks a minute, and what people bear."""
PAGE_SECONDS = 0.5
"""What a page may take at the 99th percentile."""
NETWORK = (0.3, 3.0)
"""Seconds that far ends take, drawn evenly; 1.65 on average, more than the second of the promise."""
STREAM_SECONDS = 5.0
"""How long a customer watches the check live; half of a process's sixteen threads may be such streams."""
STREAMS = 8
WITHOUT_STREAM = 0.01
BUSY = 0.6
"""How busy the database's cores may be in the busiest second that is planned for."""
GIGABYTE = 1e9
CORES = {"sqlite": 1, "postgresql": 2}
"""Of the machine measured here: on SQLite one process does everything, and a process of Python is one core."""


@dataclass(frozen=True, slots=True)
class Checks:
    """How late the checks of the fullest hour are, and how many begin in its busiest second."""

    p99: float
    a_second: int


def measure() -> Iterator[Line]:
    """The costs of each database, what this machine carries on it, and on PostgreSQL what many desks need."""
    for kind in kinds():
        costs = measure_costs(kind)
        yield from _told(costs)
        yield from one_machine(costs)
        yield from a_thousand_checks(costs)
        if kind == "postgresql":
            yield from many_desks(costs)
        sys.stdout.flush()


TOLD = {
    "page_ms": ("a page, CPU of the web process", "ms"),
    "page_db_ms": ("a page, CPU of the database", "ms"),
    "booking_ms": ("a booking, CPU of the web process", "ms"),
    "booking_db_ms": ("a booking, CPU of the database", "ms"),
    "booking_syncs": ("a booking, syncs of the disk", ""),
    "booking_log_bytes": ("a booking, write-ahead log", "bytes"),
    "booking_bytes": ("a booking, room with indexes", "bytes"),
    "check_ms": ("a check, CPU of the worker", "ms"),
    "check_db_ms": ("a check, CPU of the database", "ms"),
    "check_syncs": ("a check, syncs of the disk", ""),
    "check_bytes": ("a check, room with indexes", "bytes"),
    "engine_bytes": ("of a booking and its first check the engine's room", "bytes"),
    "customer_bytes": ("a customer, room", "bytes"),
    "planning_ms": ("planning one check, by the clock", "ms"),
}


def _told(costs: Costs) -> Iterator[Line]:
    """What was measured; what a database keeps no account of is left out."""
    for name, (what, unit) in TOLD.items():
        if value := getattr(costs, name):
            yield Line(f"{costs.kind}: {what}", value, unit)


def one_machine(costs: Costs) -> Iterator[Line]:
    """The most desks whose peak hour this machine serves in time, and which of the two gives way first."""
    pages = model.most(lambda desks: _page_p99(costs, Load(desks), CORES[costs.kind]) <= PAGE_SECONDS)
    yield Line(f"{costs.kind}, this machine: desks by pages and bookings", pages, "desks")
    for spread in (0.0, 300.0):
        for bound in (SOON, TOLERABLE):
            desks = model.most(lambda n, s=spread, b=bound: checks(costs, Load(n), s, 1).p99 <= b)  # type: ignore[misc]
            name = f"desks by checks, spread {spread / 60:g} min, p99 {bound:g} s late"
            yield Line(f"{costs.kind}, this machine: {name}", desks, "desks")


def a_thousand_checks(costs: Costs) -> Iterator[Line]:
    """The load of the promise: a thousand due within a minute, each a second of network."""
    chance = random.Random(5)
    due = sorted(chance.uniform(0, 60) for _ in range(1_000))
    for workers in (1,) if costs.kind == "sqlite" else (1, 2):
        at_once = AT_ONCE[costs.kind][TARGET_QUEUE]
        late = model.lateness(due, workers, at_once, costs.check_ms / 1000, lambda: 1.0)
        name = f"a thousand checks in a minute, {workers} worker{'s' if workers > 1 else ''}: p99 late"
        yield Line(f"{costs.kind}: {name}", model.share(late, 0.99), "s")


def many_desks(costs: Costs, desks: int = MANY_DESKS) -> Iterator[Line]:
    """Processes, cores, syncs and room for them all."""
    load = Load(desks)
    yield Line(f"{desks:,} desks: web processes for pages and bookings", _for_pages(costs, load), "")
    yield Line(f"{desks:,} desks: web processes for live checks watched", _for_streams(load), "")
    for spread in SPREADS:
        yield from _workers(costs, load, spread)
    kept = costs.booking_bytes + CHECKS * costs.check_bytes - costs.engine_bytes
    engine = CHECKS * costs.engine_bytes * load.bookings * KEEP.days
    fixed = load.customers * costs.customer_bytes + engine
    yield Line(f"{desks:,} desks: room for customers and the engine", fixed / GIGABYTE, "GB")
    yield Line(
        f"{desks:,} desks: room for each year of bookings", kept * load.bookings * 365 / GIGABYTE, "GB"
    )
    log = load.bookings * costs.booking_log_bytes
    yield Line(f"{desks:,} desks: write-ahead log of a day's bookings", log / GIGABYTE, "GB")


def _workers(costs: Costs, load: Load, spread: float) -> Iterator[Line]:
    """Workers for both bounds; where the planning of wake-ups alone is later, no number of workers helps."""
    name = f"{load.desks:,} desks, checks spread over {spread / 60:g} min"
    yield Line(
        f"{name}: late by the planning alone, p99",
        model.share(_planning_late(costs, load, spread), 0.99),
        "s",
    )
    for bound in (SOON, TOLERABLE):
        try:
            workers = model.fewest(lambda n, b=bound: checks(costs, load, spread, n).p99 <= b, most=4_000)  # type: ignore[misc]
        except ValueError:
            yield Line(f"{name}: workers for p99 {bound:g} s late", 0, "are enough: none suffice")
            continue
        a_second = checks(costs, load, spread, workers).a_second
        yield Line(f"{name}: workers for p99 {bound:g} s late", workers, "")
        yield Line(f"{name}: checks begun in the busiest second", a_second, "/s")
        yield from _database(costs, load, a_second, name)


def _database(costs: Costs, load: Load, checks_a_second: int, name: str) -> Iterator[Line]:
    bookings = model.BY_HOUR[PEAK_HOUR] / 100 * load.bookings * model.AT_THE_HOUR / model.PEAK_SECONDS
    busy = bookings * (PAGES * costs.page_db_ms + costs.booking_db_ms) + checks_a_second * costs.check_db_ms
    yield Line(f"{name}: database cores in that second at {BUSY:.0%}", busy / 1000 / BUSY, "")
    syncs = bookings * costs.booking_syncs + checks_a_second * costs.check_syncs
    yield Line(f"{name}: syncs of the disk in that second", syncs, "/s")


def checks(costs: Costs, load: Load, spread: float, workers: int) -> Checks:
    """The fullest hour: planned one after the other by one process, then tried by the workers."""
    due = _due(load, spread)
    planned = [at + late for at, late in zip(due, _planning_late(costs, load, spread), strict=True)]
    chance, at_once = random.Random(2), AT_ONCE[costs.kind][TARGET_QUEUE]
    cpu = (costs.check_ms + (costs.check_db_ms if workers == 1 else 0)) / 1000
    tried = model.lateness(planned, workers, at_once, cpu, lambda: chance.uniform(*NETWORK))
    late = [ready + wait - at for at, ready, wait in zip(due, planned, tried, strict=True)]
    begun: dict[int, int] = {}
    for at, waited in zip(due, late, strict=True):
        begun[int(at + waited)] = begun.get(int(at + waited), 0) + 1
    return Checks(model.share(late, 0.99), max(begun.values()))


@cache
def _due(load: Load, spread: float) -> Sequence[float]:
    return model.checks_due(load, spread, random.Random(1))


def _planning_late(costs: Costs, load: Load, spread: float) -> list[float]:
    """How late the one that plans has each check ready; it begins so long before they are due."""
    ahead, takes = LOOK_AHEAD.total_seconds(), costs.planning_ms / 1000
    seen = [at - ahead for at in _due(load, spread)]
    return [max(0.0, wait + takes - ahead) for wait in model.waits(seen, repeat(takes), 1)]


def _page_p99(costs: Costs, load: Load, servers: int, own_database: bool = False) -> float:
    """Seconds from a click to its answer in the busiest hour; work times are drawn around the measured mean."""
    chance = random.Random(3)
    page, booking = costs.page_ms / 1000, costs.booking_ms / 1000
    if not own_database:
        page, booking = page + costs.page_db_ms / 1000, booking + costs.booking_db_ms / 1000
    moments = model.booked_at(load, PEAK_HOUR, chance)
    clicks = [(at - chance.uniform(0, 300), page) for at in moments for _ in range(PAGES)]
    clicks = sorted(clicks + [(at, booking) for at in moments])
    takes = [chance.expovariate(1 / mean) for _, mean in clicks]
    waited = model.waits([at for at, _ in clicks], takes, servers)
    return (
        model.share([wait + took for wait, took in zip(waited, takes, strict=True)], 0.99) if clicks else 0.0
    )


def _for_pages(costs: Costs, load: Load) -> int:
    return model.fewest(lambda servers: _page_p99(costs, load, servers, own_database=True) <= PAGE_SECONDS)


def _for_streams(load: Load) -> int:
    """Processes so that nearly everybody who watches a check finds a free stream."""
    moments = model.booked_at(load, PEAK_HOUR, random.Random(4))

    def enough(processes: int) -> bool:
        waited = model.waits(moments, repeat(STREAM_SECONDS), processes * STREAMS)
        return sum(wait > 0 for wait in waited) <= len(waited) * WITHOUT_STREAM

    return model.fewest(enough)
