"""The contest between programs counts what it says it counts."""

import threading
from collections.abc import Callable

import pytest

from benchmarks.peers import contest


class Desk:
    """Books by looking first and writing then, with or without a lock around both."""

    def __init__(self, careful: bool) -> None:
        self._taken: set[int] = set()
        self._guard = threading.Lock() if careful else None
        self._looked = threading.Barrier(contest.CLIENTS)
        self.asked: list[int] = []

    def book(self, client: int, slot: int) -> bool:
        if self._guard:
            with self._guard:
                return self._look_and_write(slot, lambda: None)
        contested = slot < contest.SAME_SLOT_ROUNDS
        return self._look_and_write(slot, self._looked.wait if contested else lambda: None)

    def slots(self, slot: int) -> None:
        self.asked.append(slot)

    def cpu_seconds(self) -> float:
        return len(self._taken) / 1000

    def _look_and_write(self, slot: int, between: Callable[[], object]) -> bool:
        free = slot not in self._taken
        between()
        self._taken.add(slot)
        return free


@pytest.mark.parametrize(("careful", "winners"), [(True, 1), (False, contest.CLIENTS)])
def test_winners_of_one_slot_are_counted(careful: bool, winners: int) -> None:
    assert contest.run(Desk(careful)).winners == winners


def test_every_free_slot_is_booked_once_and_the_last_day_is_asked_for() -> None:
    desk = Desk(careful=True)
    result = contest.run(desk)
    assert desk._taken == set(range(contest.FREE))
    assert set(desk.asked) == {contest.FREE}
    assert result.booking_ms == pytest.approx(1)
    assert result.slots_ms == 0


def test_a_program_that_refuses_what_is_free_is_not_measured() -> None:
    class Full(Desk):
        def book(self, client: int, slot: int) -> bool:
            return client != 3 and super().book(client, slot)

    with pytest.raises(AssertionError, match="of 80 free slots"):
        contest.run(Full(careful=True))
