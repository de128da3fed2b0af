"""People of the desk: added, changed, set aside and deleted by a dispatcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.calendars.rewriting import rewrite
from scheduler.context import DeskContext
from scheduler.customers.keeping import clean_email, clean_locale, clean_zone
from scheduler.rules.hours_text import field_of, outside, read_week, stored
from scheduler.rules.refusals import (
    ChangedMeanwhile,
    InvalidInput,
    LastDispatcher,
    NotAllowed,
    NotFound,
    TechnicianHasBookings,
)
from scheduler.rules.text import clean_text
from scheduler.store.models import LIVE_STATUSES, Base, Booking, Customer, Technician, WaitingEntry

ROLES = ("technician", "dispatcher")
PLATFORMS = ("asterisk", "elastix", "3cx")
LONGEST_BUFFER = 240
_SAID_IN_CALENDARS = {"name", "locale", "zone"}
_FIELDS = ("name", "email", "role", "locale", "zone", "skills", "weekly_hours", "buffer_minutes")


@dataclass(frozen=True, slots=True)
class TechnicianForm:
    """What was typed about a person of the desk; hours by ISO weekday, all empty: the desk's."""

    name: str
    email: str
    role: str = "technician"
    locale: str = "es"
    zone: str = "Europe/Madrid"
    skills: Sequence[str] = PLATFORMS
    hours: Mapping[int, str] = field(default_factory=dict)
    buffer_minutes: str = "0"


def colleagues(session: Session) -> list[Technician]:
    """Everybody who works at the desk now, by name."""
    # SQLite keeps booleans as numbers, so "is true" is not its word.
    query = select(Technician).where(Technician.active == True).order_by(Technician.name)  # noqa: E712
    return list(session.scalars(query))


def person(session: Session, actor: Actor, technician_id: int) -> Technician:
    """The person to be changed. Raises NotAllowed unless a dispatcher acts, NotFound."""
    if actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("team")
    row = session.get(Technician, technician_id)
    if row is None:
        raise NotFound("technician")
    return row


def add_technician(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, form: TechnicianForm
) -> Technician:
    """A new person, who cannot sign in before they have set a password. Raises NotAllowed, InvalidInput."""
    if actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("team")
    values = _values(desk, form)
    _refuse_taken(session, values["email"], None)
    row = Technician(**values, password_hash=None, calendar_changed_at=now)
    session.add(row)
    session.flush()
    _audit(session, desk, now, actor, "technician.add", row, name=row.name, role=row.role)
    return row


def change_technician(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    technician_id: int,
    form: TechnicianForm,
    seen: str,
) -> Technician:
    """Other values for the person. `seen` is the `mark` of what the form showed.

    Raises NotAllowed, NotFound, InvalidInput, ChangedMeanwhile, and LastDispatcher.
    """
    row = person(session, actor, technician_id)
    if seen != mark(row):
        raise ChangedMeanwhile("technician")
    values = _values(desk, form)
    _refuse_taken(session, values["email"], row.id)
    if values["role"] != "dispatcher":
        _refuse_last(session, row)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    session.flush()
    if changed:
        _renew_calendar(session, desk, now, row, set(changed))
        _audit(session, desk, now, actor, "technician.change", row, **changed)
    return row


def _renew_calendar(
    session: Session, desk: DeskContext, now: datetime, row: Technician, changed: set[str]
) -> None:
    """Stored events say the person's name, language and zone; unrenewed they would say the old ones for ever."""
    if not changed & _SAID_IN_CALENDARS:
        return
    from scheduler.checks.explaining import last_failure  # the probes' words cost every start otherwise

    rewrite(
        session,
        desk,
        now,
        Booking.technician_id == row.id,
        lambda s, booking, locale: last_failure(s, booking, desk, locale),
    )


def set_active(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int, active: bool
) -> None:
    """Set somebody aside, or back: who is aside is not offered and cannot sign in.

    Raises NotAllowed, NotFound, LastDispatcher, and TechnicianHasBookings while sessions are to come.
    """
    row = person(session, actor, technician_id)
    if row.active == active:
        return
    if not active:
        _refuse_last(session, row)
        coming, _ = bookings_of(session, row.id, now)
        if coming:
            raise TechnicianHasBookings(coming)
        row.session_generation += 1
    row.active = active
    session.flush()
    _audit(session, desk, now, actor, "technician.activate" if active else "technician.deactivate", row)


def delete_technician(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int
) -> None:
    """Forget somebody who never had a session. Raises as `set_active`; who has a history is set aside instead."""
    row = person(session, actor, technician_id)
    _refuse_last(session, row)
    coming, ever = bookings_of(session, row.id, now)
    if ever:
        raise TechnicianHasBookings(coming, history=True)
    name = row.name
    session.execute(update(Customer).where(Customer.technician_id == row.id).values(technician_id=None))
    for table, column in _belongings():
        session.execute(delete(table).where(table.c[column] == row.id))
    session.execute(delete(Technician).where(Technician.id == row.id))
    _audit(session, desk, now, actor, "technician.delete", row, name=name)


def bookings_of(session: Session, technician_id: int, now: datetime) -> tuple[int, int]:
    """How many sessions are to come, and how many there ever were."""
    mine = select(func.count()).select_from(Booking).where(Booking.technician_id == technician_id)
    live = [status for status in LIVE_STATUSES if status != "held"]
    coming = session.scalar(mine.where(Booking.ends_at > now, Booking.status.in_(live))) or 0
    return coming, session.scalar(mine) or 0


def mark(row: Technician) -> str:
    """What tells one state of a person from another, so that two forms do not undo each other."""
    return audit.digest({name: getattr(row, name) for name in _FIELDS})


def _belongings() -> list[tuple[Table, str]]:
    """What is a technician's alone, in an order in which it can be deleted: secrets, sessions, absences, calendars."""
    kept = {table.__tablename__ for table in (Booking, Customer, WaitingEntry)}
    return [
        (table, key.parent.name)
        for table in reversed(Base.metadata.sorted_tables)
        if table.name not in kept
        for key in table.foreign_keys
        if key.column.table.name == Technician.__tablename__
    ]


def _values(desk: DeskContext, form: TechnicianForm) -> dict[str, Any]:
    return {
        "name": clean_text("name", form.name, 200, required=True),
        "email": clean_email(form.email),
        "role": _one_of("role", form.role, ROLES),
        "locale": clean_locale(form.locale),
        "zone": clean_zone(form.zone),
        "skills": [_one_of("skills", skill, PLATFORMS) for skill in form.skills],
        "weekly_hours": _own_hours(desk, form.hours),
        "buffer_minutes": _minutes(form.buffer_minutes),
    }


def _one_of(name: str, value: str, offered: Sequence[str]) -> str:
    if value not in offered:
        raise InvalidInput(name, "not_offered", offered=list(offered))
    return value


def _own_hours(desk: DeskContext, hours: Mapping[int, str]) -> dict[str, Any] | None:
    week = read_week(dict(hours))
    if not week:
        return None
    day = outside(week, desk.weekly_hours)
    if day is not None:
        raise InvalidInput(field_of(day), "outside_desk")
    return stored(week)


def _minutes(typed: str) -> int:
    text = typed.strip() or "0"
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput("buffer_minutes", "not_a_number")
    if len(text) > 4 or int(text) > LONGEST_BUFFER:
        raise InvalidInput("buffer_minutes", "out_of_range", minimum=0, maximum=LONGEST_BUFFER)
    return int(text)


def _refuse_taken(session: Session, email: str, own_id: int | None) -> None:
    taken = session.scalar(select(Technician.id).where(func.lower(Technician.email) == email.lower()))
    if taken not in (None, own_id):
        raise InvalidInput("email", "taken")


def _refuse_last(session: Session, row: Technician) -> None:
    if row.role != "dispatcher" or not row.active:
        return
    others = select(func.count()).where(
        Technician.role == "dispatcher", Technician.active == True, Technician.id != row.id  # noqa: E712
    )  # fmt: skip
    if not session.scalar(others):
        raise LastDispatcher


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, what: str, row: Technician, **facts: Any
) -> None:
    audit.record(session, desk.installation, now, actor, what, f"technician:{row.id}", **facts)
