"""The queues of the capacity model against what is known in closed form."""

import itertools
import random

import pytest

from benchmarks import capacity_model as model

MANY = 200_000


def poisson(rate: float, chance: random.Random, count: int = MANY) -> list[float]:
    return list(itertools.accumulate(chance.expovariate(rate) for _ in range(count)))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (1, 0.8), (4, 0.7), (16, 0.9)])
def test_a_queue_of_drawn_service_waits_as_erlang_says(servers: int, load: float) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable
    arrivals = poisson(servers * load, chance)
    waited = model.waits(arrivals, (chance.expovariate(1) for _ in arrivals), servers)
    expected = model.erlang_c(servers, servers * load) / (servers * (1 - load))
    assert sum(waited) / MANY == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_a_queue_of_fixed_service_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    arrivals = poisson(load, random.Random(8))  # noqa: S311 - repeatable
    waited = model.waits(arrivals, itertools.repeat(1.0), 1)
    assert sum(waited) / MANY == pytest.approx(load / (2 * (1 - load)), rel=0.08)


def test_littles_law_holds() -> None:
    chance = random.Random(9)  # noqa: S311 - repeatable
    arrivals = poisson(1.6, chance, 20_000)
    waited = model.waits(arrivals, (chance.expovariate(1) for _ in arrivals), 2)
    changes = sorted(
        [(at, 1) for at in arrivals] + [(at + wait, -1) for at, wait in zip(arrivals, waited, strict=True)]
    )
    length, last, area = 0, 0.0, 0.0
    for at, change in changes:
        area, length, last = area + length * (at - last), length + change, at
    assert area / last == pytest.approx(len(arrivals) / last * sum(waited) / len(waited), rel=1e-9)


def test_who_comes_before_the_clock_begins_waits_for_nobody() -> None:
    assert model.waits([-60.0, -30.0, 0.0], itertools.repeat(10.0), 1) == [0.0, 0.0, 0.0]


def test_with_a_server_for_each_nobody_waits() -> None:
    assert set(model.waits([0.0] * 50, itertools.repeat(1.0), 50)) == {0.0}
    assert max(model.waits([0.0] * 50, itertools.repeat(1.0), 1)) == 49


def test_checks_wait_for_a_place_and_for_the_core() -> None:
    together = [0.0] * 100
    by_place = model.lateness(together, workers=1, at_once=10, cpu=0.0, network=lambda: 1.0)
    assert max(by_place) == pytest.approx(9)
    by_core = model.lateness(together, workers=2, at_once=100, cpu=0.1, network=lambda: 0.0)
    assert max(by_core) == pytest.approx(4.9)


@pytest.mark.parametrize("spread", [0.0, 600.0])
def test_a_days_checks_and_bookings_are_all_there(spread: float) -> None:
    load = model.Load(desks=1_000)
    assert sum(model.BY_HOUR.values()) == 100
    assert (load.customers, load.bookings, load.checks) == (100_000, 10_000, 50_000)
    chance = random.Random(10)  # noqa: S311 - repeatable
    assert sum(len(model.booked_at(load, hour, chance)) for hour in model.BY_HOUR) == load.bookings
    due = model.checks_due(load, spread, chance)
    planned = len(due) - round(load.bookings * model.BY_HOUR[10] / 100)
    assert planned == pytest.approx(load.bookings * 4 / len(model.OPEN), rel=0.01)
    at_once = sum(abs(at - spread) < 1 for at in due)
    assert (at_once > load.bookings / len(model.OPEN)) is (spread == 0)


def test_shares_and_searches() -> None:
    assert model.share(list(range(1, 101)), 0.99) == 99
    assert model.share([5.0], 0.5) == 5.0
    for wanted in (1, 2, 3, 77):
        assert model.fewest(wanted.__le__) == wanted
    assert model.most(lambda number: number <= 12) == 12
    assert model.most(lambda _: False) == 0
    with pytest.raises(ValueError, match="not enough"):
        model.fewest(lambda _: False)
