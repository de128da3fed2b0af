"""App passwords: one for each device whose calendar program signs in, made and ended by their owner.

The secret is 120 random bits, so a plain hash protects it as well as a slow one would: nobody can try 2^120
of them. A calendar program sends it with every request, and argon2 would cost each of them 19 MiB and 40 ms.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.calendars.readers import reader_name
from scheduler.context import DeskContext
from scheduler.links import token_hash
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.secret import Secret
from scheduler.rules.text import clean_text
from scheduler.store.models import AppPassword, RateEvent, Technician

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters that people read from a screen and type on a telephone: without l, o, 0 and 1."""
LENGTH = 24
GROUP = 4
MOST_DEVICES = 20
LABEL_LENGTH = 60
NOTE_EVERY = timedelta(minutes=1)
"""How often a use is written down: reading a calendar should not be a write."""
WRONG_PER_WINDOW = 30
WRONG_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Device:
    """One line of the list: what its owner calls it, and who used it when."""

    id: int
    label: str
    created_at: datetime
    last_used_at: datetime | None
    last_client: str | None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The technician whom a calendar program reads for, and what the answer depends on."""

    device_id: int
    id: int
    name: str
    email: str
    role: str
    zone: str
    locale: str
    calendar_rev: int
    note_due: bool
    """Whether it is time to write down that the device was here."""


_SIGN_IN = (
    select(
        AppPassword.id.label("device_id"),
        AppPassword.last_used_at,
        Technician.id,
        Technician.name,
        Technician.email,
        Technician.role,
        Technician.zone,
        Technician.locale,
        Technician.calendar_rev,
    )
    .join(Technician, Technician.id == AppPassword.technician_id)
    .where(
        AppPassword.secret_hash == bindparam("secret_hash"),
        AppPassword.revoked_at.is_(None),
        Technician.active == 1,
    )
)


def create(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, label: str
) -> tuple[AppPassword, Secret]:
    """A password for one more device of the actor's, to be shown now and never again.

    Raises InvalidInput("device", required | too_long | control_characters | too_many).
    """
    label = clean_text("device", label, LABEL_LENGTH, required=True)
    in_use = select(func.count()).where(
        AppPassword.technician_id == actor.id, AppPassword.revoked_at.is_(None)
    )
    if session.scalars(in_use).one() >= MOST_DEVICES:
        raise InvalidInput("device", "too_many", limit=MOST_DEVICES)
    secret = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    row = AppPassword(technician_id=actor.id, secret_hash=token_hash(secret), label=label, created_at=now)
    session.add(row)
    session.flush()
    _audit(session, desk, now, actor, "device.create", row)
    return row, Secret("-".join(secret[at : at + GROUP] for at in range(0, LENGTH, GROUP)))


def revoke(session: Session, desk: DeskContext, now: datetime, actor: Actor, device_id: int) -> None:
    """End a device's password at once. Raises NotFound("device") unless theirs and in use."""
    row = session.get(AppPassword, device_id)
    if row is None or row.technician_id != actor.id or row.revoked_at is not None:
        raise NotFound("device")
    row.revoked_at = now
    session.flush()
    _audit(session, desk, now, actor, "device.revoke", row)


def devices_of(session: Session, technician_id: int) -> tuple[Device, ...]:
    """The technician's devices that may read, oldest first."""
    rows = session.scalars(
        select(AppPassword)
        .where(AppPassword.technician_id == technician_id, AppPassword.revoked_at.is_(None))
        .order_by(AppPassword.id)
    )
    return tuple(Device(row.id, row.label, row.created_at, row.last_used_at, row.last_client) for row in rows)


def sign_in(session: Session, user: str, password: str, now: datetime) -> Subscriber | None:
    """Whom the password opens a calendar for; None for a wrong or ended one, or another person's user name.

    One query on an index. Case, blanks and dashes do not count: people type it.
    """
    secret = "".join(character for character in password.casefold() if character not in " -")
    row = session.execute(_SIGN_IN, {"secret_hash": token_hash(secret)}).one_or_none()
    if row is None or row.email.casefold() != user.strip().casefold():
        return None
    return Subscriber(
        device_id=row.device_id,
        id=row.id,
        name=row.name,
        email=row.email,
        role=row.role,
        zone=row.zone,
        locale=row.locale,
        calendar_rev=row.calendar_rev,
        note_due=row.last_used_at is None or now - row.last_used_at >= NOTE_EVERY,
    )


def note_use(session: Session, device_id: int, user_agent: str, now: datetime) -> None:
    """Write down which program used the password and when, at most once a minute."""
    long_ago = or_(AppPassword.last_used_at.is_(None), AppPassword.last_used_at <= now - NOTE_EVERY)
    session.execute(
        update(AppPassword)
        .where(AppPassword.id == device_id, long_ago)
        .values(last_used_at=now, last_client=reader_name(user_agent))
    )


def too_many_wrong(session: Session, network: str, now: datetime) -> bool:
    """Whether this network has used up its wrong passwords; only reads, so that a flood writes nothing."""
    recent = (
        select(RateEvent.id)
        .where(RateEvent.bucket == _bucket(network), RateEvent.at > now - WRONG_WINDOW)
        .limit(WRONG_PER_WINDOW)
    )
    return len(session.scalars(recent).all()) >= WRONG_PER_WINDOW


def count_wrong(session: Session, network: str, now: datetime) -> None:
    """Count one wrong password of this network."""
    session.add(RateEvent(bucket=_bucket(network), at=now))
    session.flush()


def _bucket(network: str) -> str:
    return f"device:net:{network}"


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, action: str, row: AppPassword
) -> None:
    audit.record(session, desk.installation, now, actor, action, f"device:{row.id}", label=row.label)
