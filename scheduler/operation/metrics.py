"""What a monitoring system wants to know of the desk, counted in the database: it knows of every process's work."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.store.models import Booking, Check, Notice, Worker

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOOKINGS = ("held", "pending", "confirmed", "in_session", "done", "no_show", "cancelled", "expired")
VERDICTS = ("ready", "at_risk", "not_ready", "unknown")
RECENT = timedelta(hours=1)
QUANTILES = (0.5, 0.9, 0.99, 1.0)


def exposition(session: Session, now: datetime) -> str:
    """All metrics in the Prometheus text format 0.0.4."""
    registry = CollectorRegistry()
    _count(registry, "ventana_bookings", "Bookings by status.", "status", BOOKINGS, _bookings(session))
    _checks(registry, session, now)
    _count(registry, "ventana_mails", "Mails not sent.", "state", ("waiting", "dead"), _mails(session))
    workers = session.scalars(select(Worker.seen_at)).all()
    _one(registry, "ventana_workers", "Processes that execute what is due.", len(workers))
    # Without any worker the oldest heartbeat would look fresh or absent; +Inf is what an alarm compares rightly.
    age = max(0.0, (now - max(workers)).total_seconds()) if workers else float("inf")
    _one(
        registry,
        "ventana_engine_heartbeat_age_seconds",
        "Since the youngest heartbeat; +Inf without any.",
        age,
    )
    return generate_latest(registry).decode()


def _checks(registry: CollectorRegistry, session: Session, now: datetime) -> None:
    recent = session.execute(
        select(Check.verdict, Check.due_at, Check.started_at).where(
            Check.state == "done", Check.finished_at > now - RECENT
        )
    ).all()
    verdicts: dict[str, int] = {}
    for verdict, _, _ in recent:
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    _count(
        registry,
        "ventana_checks_recent",
        "Checks of the last hour by verdict.",
        "verdict",
        VERDICTS,
        verdicts,
    )
    late = sorted(max(0.0, (began - due).total_seconds()) for _, due, began in recent if began is not None)
    lateness = Gauge(
        "ventana_check_lateness_seconds",
        "How late the checks of the last hour began.",
        ["quantile"],
        registry=registry,
    )
    for quantile in QUANTILES if late else ():
        lateness.labels(str(quantile)).set(_quantile(late, quantile))
    due = Check.state.in_(("planned", "running")), Check.due_at <= now
    count = session.scalar(select(func.count()).select_from(Check).where(*due)) or 0
    oldest = session.scalar(select(func.min(Check.due_at)).where(*due))
    _one(registry, "ventana_checks_open", "Checks that are due and have no outcome yet.", count)
    waited = (now - oldest).total_seconds() if oldest is not None else 0.0
    _one(
        registry, "ventana_checks_open_oldest_seconds", "For how long the first of them has been due.", waited
    )


def _bookings(session: Session) -> dict[str, int]:
    return _grouped(session, Booking.status)


def _mails(session: Session) -> dict[str, int]:
    return _grouped(session, Notice.state, Notice.state != "sent")


def _grouped(session: Session, column: Any, *where: Any) -> dict[str, int]:
    query = select(column, func.count()).where(*where).group_by(column)
    return dict(session.execute(query).all())


def _quantile(values: Sequence[float], quantile: float) -> float:
    """Nearest rank of sorted values."""
    return values[max(0, ceil(len(values) * quantile) - 1)]


def _count(
    registry: CollectorRegistry,
    name: str,
    what: str,
    label: str,
    known: Iterable[str],
    counts: dict[str, int],
) -> None:
    """One gauge; every known label is there, also with nothing to count, so that alarms see zeros."""
    gauge = Gauge(name, what, [label], registry=registry)
    for value in known:
        gauge.labels(value).set(counts.get(value, 0))


def _one(registry: CollectorRegistry, name: str, what: str, value: float) -> None:
    Gauge(name, what, registry=registry).set(value)
