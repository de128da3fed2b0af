"""What every program is asked: the same numbers of clients, rounds and bookings."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

CLIENTS, EACH, ASKED = 20, 4, 100
SAME_SLOT_ROUNDS, RATE_ROUNDS = 5, 3
FREE = SAME_SLOT_ROUNDS + RATE_ROUNDS * CLIENTS * EACH
"""The first slot that nobody has booked in the end; its day is booked in part."""


class Contestant(Protocol):
    """A running program with twenty signed-in clients and one technician or room."""

    def book(self, client: int, slot: int) -> bool:
        """Whether the program told this client that the slot is booked; slots are numbered and do not overlap."""

    def slots(self, slot: int) -> None:
        """Ask for the slots of the day on which this one is."""

    def cpu_seconds(self) -> float:
        """CPU of its web process so far."""


Peer = Callable[[], AbstractContextManager[Contestant]]
"""Sets a program up and takes it down again. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out; bookings are counted where the program confirmed them."""

    winners: int
    rate: float
    booking_ms: float
    slots_ms: float


def run(peer: Contestant) -> Result:
    """The same slot for all, then bookings as fast as they are answered, then slots; the best of some rounds."""
    rates, costs = [], []
    with ThreadPoolExecutor(CLIENTS) as pool:
        winners = max(_same_slot(peer, pool, slot) for slot in range(SAME_SLOT_ROUNDS))
        for turn in range(RATE_ROUNDS):
            spent, began = peer.cpu_seconds(), time.perf_counter()
            booked = sum(pool.map(partial(_many, peer, turn), range(CLIENTS)))
            rates.append(booked / (time.perf_counter() - began))
            costs.append((peer.cpu_seconds() - spent) * 1000 / booked)
            assert booked == CLIENTS * EACH, f"{booked} of {CLIENTS * EACH} free slots were booked"
    return Result(winners, max(rates), min(costs), min(_slots_ms(peer) for _ in range(RATE_ROUNDS)))


def _slots_ms(peer: Contestant) -> float:
    peer.slots(FREE)
    spent = peer.cpu_seconds()
    for _ in range(ASKED):
        peer.slots(FREE)
    return (peer.cpu_seconds() - spent) * 1000 / ASKED


def _same_slot(peer: Contestant, pool: ThreadPoolExecutor, slot: int) -> int:
    together = threading.Barrier(CLIENTS)

    def one(client: int) -> bool:
        together.wait()
        return peer.book(client, slot)

    return sum(pool.map(one, range(CLIENTS)))


def _many(peer: Contestant, turn: int, client: int) -> int:
    first = SAME_SLOT_ROUNDS + (turn * CLIENTS + client) * EACH
    return sum(peer.book(client, slot) for slot in range(first, first + EACH))
