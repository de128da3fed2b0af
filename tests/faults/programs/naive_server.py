"""The broken control of the slot race: `ventana serve` as most booking programs are written.

It looks whether the slot is free, then inserts, and the database has lost its guard. Settings come from the
environment, as for the product.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import Flask, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules.refusals import SlotTaken
from scheduler.settings import read_settings
from scheduler.store import booking_rows
from scheduler.store.engines import read
from scheduler.store.models import LIVE_STATUSES, Booking
from tests.unguarded import drop_slot_guard, insert_anyhow
from web.api import bookings
from web.server import Server

T = TypeVar("T")
honest = bookings.writing


def check_then_write(verb: Callable[[Session, DeskContext], T]) -> T:
    """Refuse a slot that is taken by now, and trust that it is still free a moment later."""
    if "start_at" not in request.get_json():
        return honest(verb)
    starts_at = datetime.fromisoformat(request.get_json()["start_at"])
    with read(bookings.service().sessions) as session:
        query = select(Booking.id).where(Booking.starts_at == starts_at, Booking.status.in_(LIVE_STATUSES))
        if session.scalars(query).first() is not None:
            raise SlotTaken(alternatives=())
    return honest(verb)


class NaiveServer(Server):
    """Serves on a database whose guard against double booking is gone."""

    def load(self) -> Flask:
        """As the product, and then without the guard: with none it would refuse to start."""
        app = super().load()
        assert self._service is not None
        drop_slot_guard(self._service.database)
        return app


if __name__ == "__main__":
    bookings.writing = check_then_write
    booking_rows.insert_booking = insert_anyhow  # never loses, which is the fault
    NaiveServer(read_settings(), work=False).run()
    sys.exit(0)
