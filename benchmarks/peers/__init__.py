"""Bookings, winners of one slot and availability beside django-appointment and Indico, each from its own packages.

Everybody is asked over HTTP by twenty signed-in clients, answers from one web process with as many threads, and sends
no mail. django-appointment stands on SQLite as ours then does, Indico on PostgreSQL as ours then does; all wait for the
disk. What a booking writes is each program's own affair: ours writes slot, ledger, checks, mails, calendars and audit.
"""

import sys
from collections.abc import Iterator

from benchmarks.desks import installed, kinds
from benchmarks.peers.contest import CLIENTS, Peer, Result, run
from benchmarks.peers.django_appointment import django_appointment
from benchmarks.peers.indico import indico
from benchmarks.peers.ours import Ours
from benchmarks.table import Line
from fixtures.environments import Unavailable

PEERS: dict[str, tuple[str, Peer]] = {
    "sqlite": ("django-appointment", django_appointment),
    "postgresql": ("Indico", indico),
}
SETTINGS = {"VENTANA_PROCESSES": "1", "VENTANA_THREADS": str(CLIENTS)}


def measure() -> Iterator[Line]:
    """Ours on each database, the peer on the same one, and the ratios."""
    for kind in kinds():
        name, peer = PEERS[kind]
        ours = _ours(kind)
        yield from _lines(f"ours, {kind}", ours, most=1)
        try:
            with peer() as contestant:
                theirs = run(contestant)
        except Unavailable as missing:
            print(f"  not run: {missing}", file=sys.stderr)
            continue
        yield from _lines(name, theirs)
        yield Line(f"bookings a second, ours / {name}", ours.rate / theirs.rate, "times")
        yield Line(f"CPU of a booking, {name} / ours", theirs.booking_ms / ours.booking_ms, "times")
        yield Line(f"CPU of a day's slots, {name} / ours", theirs.slots_ms / ours.slots_ms, "times")


def _ours(kind: str) -> Result:
    with installed(kind, customers=CLIENTS) as desk:
        desk.settings = SETTINGS
        with desk.serving("--no-work") as server:
            return run(Ours(desk, server))


def _lines(name: str, result: Result, most: int | None = None) -> Iterator[Line]:
    yield Line(
        f"{name}: winners of one slot, {CLIENTS} clients, worst round", result.winners, "", at_most=most
    )
    yield Line(f"{name}: bookings over HTTP", result.rate, "/s")
    yield Line(f"{name}: a booking", result.booking_ms, "ms CPU")
    yield Line(f"{name}: a day's slots of one technician or room", result.slots_ms, "ms CPU")
