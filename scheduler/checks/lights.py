"""What follows from a verdict: the booking's light, the calendar bytes, a mail when the light changes, a release."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from scheduler.calendars.writing import write_event
from scheduler.checks.explaining import failed_step, remedy_of
from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.rules.verdict import after_red, light
from scheduler.store.models import Booking, Check

Release = Callable[[Session, DeskContext, datetime, Booking], None]


def shine(session: Session, desk: DeskContext, check: Check, now: datetime, release: Release) -> None:
    """Set the light of the checked booking; when it changes, calendar and mails say so in the same transaction."""
    booking = check.booking
    if booking is None:
        return
    before = light(booking.verdict)
    if not _set(session, booking, check, now):
        return
    session.refresh(booking)
    write_event(session, desk, booking, now, explain=lambda s, _, locale: failed_step(s, check, desk, locale))
    if light(booking.verdict) != before:
        advice = remedy_of(session, check, desk, booking.customer.locale)
        notices.light_changed(session, desk, now, booking, check, advice)
    if booking.verdict == "not_ready" and check.stage in ("h2", "m30") and _to_release(desk, booking, now):
        release(session, desk, now, booking)


def _set(session: Session, booking: Booking, check: Check, now: datetime) -> bool:
    """Whether the booking still is the one that was checked; a moved one keeps its own light."""
    changes = int(light(booking.verdict) != light(check.verdict))
    found = session.scalar(
        update(Booking)
        .where(Booking.id == booking.id, Booking.rev == check.rev)
        .values(
            verdict=check.verdict,
            verdict_code=check.code,
            checked_at=now,
            changed_at=max(now, booking.changed_at + timedelta(seconds=1)),
            sequence=Booking.sequence + changes,
        )
        .returning(Booking.id)
        .execution_options(synchronize_session=False)
    )
    return found is not None


def _to_release(desk: DeskContext, booking: Booking, now: datetime) -> bool:
    conditions = desk.conditions
    follows = after_red(
        conditions.red_light[booking.entitlement.kind],
        booking.starts_at,
        now,
        timedelta(minutes=conditions.release_minutes_before),
        booking.requested_at,
    )
    return follows.action == "release" and follows.at is not None and follows.at <= now
