"""Served desks to measure on: on SQLite and on PostgreSQL, with as many bookings as wished."""

import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from fixtures.postgres import PostgresCluster, PostgresUnavailable
from fixtures.served import ALWAYS, Installed
from scheduler.store.engines import write
from scheduler.store.models import Booking

HOUR = timedelta(hours=1)
IN_THE_WEEK = 40


@contextmanager
def installed(
    kind: str, customers: int, technicians: int = 1, hours: Mapping[str, Any] = ALWAYS
) -> Iterator[Installed]:
    """A filled desk on a database of this kind. Raises PostgresUnavailable where there is no server to start."""
    with tempfile.TemporaryDirectory(prefix="ventana-bench-") as folder:
        if kind == "sqlite":
            made = Installed(Path(folder), hours=hours)
            made.fill(customers, technicians)
            yield made
            return
        with PostgresCluster() as cluster:
            made = Installed(Path(folder), url=cluster.url(), hours=hours)
            made.fill(customers, technicians)
            yield made


def kinds() -> Iterator[str]:
    """The databases that can be measured here; says which cannot."""
    yield "sqlite"
    try:
        PostgresCluster().remove()
    except PostgresUnavailable as missing:
        print(f"  not measured on PostgreSQL: {missing}", file=sys.stderr)
        return
    yield "postgresql"


def add_bookings(desk: Installed, count: int) -> None:
    """Bookings of the first technician: forty in the week to come, the rest in the past and later on.

    The answer for the week is then the same for a hundred and for ten thousand, and only the search for it can differ.
    """
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    week = [hour + timedelta(days=2) + 2 * number * HOUR for number in range(IN_THE_WEEK)]
    later = [hour + timedelta(days=10) + number * HOUR for number in range((count - IN_THE_WEEK) // 10)]
    past = [hour - (number + 1) * HOUR for number in range(count - len(week) - len(later))]
    service = desk.service()
    try:
        with write(service.sessions) as session:
            rows = [booking_row(desk, start) for start in (*week, *later, *past)]
            for first in range(0, count, 500):
                session.execute(insert(Booking), rows[first : first + 500])
    finally:
        service.close()


def booking_row(desk: Installed, start: datetime, technician: int = 1) -> dict[str, Any]:
    """A confirmed booking of an hour, asked for a month before."""
    client = desk.clients[0]
    asked_at = start - timedelta(days=30)
    name = uuid.uuid4().hex
    return {
        "uid": f"{name}@levantia.example",
        "link_hash": name,
        "customer_id": client.customer,
        "system_id": 1,
        "access_point_id": client.access_point,
        "technician_id": technician,
        "entitlement_id": client.entitlement,
        "starts_at": start,
        "ends_at": start + HOUR,
        "wall_start": start.replace(tzinfo=None).isoformat(timespec="minutes"),
        "wall_zone": "UTC",
        "status": "confirmed",
        "requested_at": asked_at,
        "lead_minutes": 480,
        "lead_counted": "attention",
        "earliest_at": asked_at + timedelta(hours=8),
        "description": "",
        "changed_at": asked_at,
        "created_by": "system",
    }
