"""When people of the desk are away: written down and taken back by a dispatcher."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import Absence
from scheduler.team.people import person

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class AbsenceForm:
    """What was typed, in the desk's zone: whole days, or from a time to a time; the last day is included."""

    first_on: str
    last_on: str
    from_time: str = ""
    to_time: str = ""
    reason: str = ""


def absences_of(session: Session, technician_id: int, now: datetime) -> Sequence[Absence]:
    """The absences that are not over, by start."""
    query = select(Absence).where(Absence.technician_id == technician_id, Absence.ends_at > now)
    return session.scalars(query.order_by(Absence.starts_at)).all()


def add_absence(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int, form: AbsenceForm
) -> Absence:
    """Nobody can book them then; what is booked already stays and is shown as to be moved.

    Raises NotAllowed, NotFound, and InvalidInput: not_a_date, not_a_time, ends_before_start, gone_by, too_long_absence,
    or overlaps_absence, since two reasons for one time would each be half true.
    """
    row = person(session, actor, technician_id)
    starts_at, ends_at = _span(desk, form)
    if ends_at <= now:
        raise InvalidInput("last_on", "gone_by")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput("last_on", "too_long_absence", days=LONGEST.days)
    _refuse_overlap(session, row.id, starts_at, ends_at)
    reason = clean_text("reason", form.reason, 200)
    absence = Absence(technician_id=row.id, starts_at=starts_at, ends_at=ends_at, reason=reason)
    session.add(absence)
    session.flush()
    _audit(session, desk, now, actor, "absence.add", absence)
    return absence


def remove_absence(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int, absence_id: int
) -> None:
    """They attend after all. Raises NotAllowed, NotFound."""
    row = person(session, actor, technician_id)
    absence = session.get(Absence, absence_id)
    if absence is None or absence.technician_id != row.id:
        raise NotFound("absence")
    session.delete(absence)
    session.flush()
    _audit(session, desk, now, actor, "absence.remove", absence)


def _span(desk: DeskContext, form: AbsenceForm) -> tuple[datetime, datetime]:
    first = clean_day("first_on", form.first_on)
    last = clean_day("last_on", form.last_on or form.first_on)
    begins, ends = _clock("from_time", form.from_time), _clock("to_time", form.to_time)
    start = datetime.combine(first, begins or time(0), desk.zone)
    if ends is None:
        end = datetime.combine(last + timedelta(days=1), time(0), desk.zone)
    else:
        end = datetime.combine(last, ends, desk.zone)
    if end.astimezone(UTC) <= start.astimezone(UTC):
        raise InvalidInput("to_time" if last == first else "last_on", "ends_before_start")
    return start.astimezone(UTC), end.astimezone(UTC)


def clean_day(name: str, typed: str) -> date:
    """A day between 2000 and 2100. Raises InvalidInput(required, not_a_date)."""
    text = clean_text(name, typed, 20, required=True)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(name, "not_a_date") from None
    if not 2000 <= day.year <= 2100:
        raise InvalidInput(name, "not_a_date")
    return day


def _clock(name: str, typed: str) -> time | None:
    text = clean_text(name, typed, 8)
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(name, "not_a_time") from None


def _refuse_overlap(session: Session, technician_id: int, starts_at: datetime, ends_at: datetime) -> None:
    other = session.scalar(
        select(Absence)
        .where(
            Absence.technician_id == technician_id, Absence.starts_at < ends_at, Absence.ends_at > starts_at
        )
        .order_by(Absence.starts_at)
        .limit(1)
    )
    if other is not None:
        raise InvalidInput("first_on", "overlaps_absence", starts_at=other.starts_at, ends_at=other.ends_at)


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, what: str, absence: Absence
) -> None:
    facts = {"starts_at": absence.starts_at.isoformat(), "ends_at": absence.ends_at.isoformat()}
    subject = f"technician:{absence.technician_id}"
    audit.record(session, desk.installation, now, actor, what, subject, **facts)
