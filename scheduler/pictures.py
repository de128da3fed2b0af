"""Pictures of screens behind doors whose customer agreed to them, kept with the check that took each for a week."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scheduler.rules.refusals import NotFound
from scheduler.store.models import AccessPoint, Check, Picture

KEPT_FOR: Final = timedelta(days=7)
KEPT_PER_DOOR: Final = 12
"""Tests on demand are many where somebody repairs; the newest are what anybody looks at."""
METHODS: Final = ("rdp", "vnc")
"""Those that show a screen."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture as a probe hands it over; `look` is empty, black or uniform."""

    png: bytes = field(repr=False)
    width: int
    height: int
    look: str


def keep(session: Session, check: Check, taken: Taken, now: datetime) -> None:
    """Keep the check's picture, if its door still is one of those that are pictured.

    Call it before anything else is locked: the door's row stays locked until the end of the transaction, so that
    whoever takes back their consent meanwhile finds every picture there is to delete.
    """
    still_agreed = session.scalar(
        select(AccessPoint.pictures_agreed_at)
        .where(AccessPoint.id == check.access_point_id)
        .with_for_update(read=True)
    )
    if still_agreed is None:
        return
    row = Picture(check_id=check.id, access_point_id=check.access_point_id, png=taken.png)
    row.width, row.height, row.look, row.taken_at = taken.width, taken.height, taken.look, now
    session.merge(row)
    session.flush()
    _forget_beyond(session, check.access_point_id)


def _forget_beyond(session: Session, access_point_id: int) -> None:
    newest_first = (
        select(Picture.check_id)
        .where(Picture.access_point_id == access_point_id)
        .order_by(Picture.taken_at.desc(), Picture.check_id.desc())
    )
    session.execute(
        delete(Picture)
        .where(Picture.check_id.in_(session.scalars(newest_first.offset(KEPT_PER_DOOR)).all()))
        .execution_options(synchronize_session=False)
    )


def newest(session: Session, check: Check, now: datetime) -> Picture | None:
    """The last picture of what this check belongs to: its booking, or else the tries of its door on demand."""
    return session.scalar(
        select(Picture)
        .join(Check, Check.id == Picture.check_id)
        .where(
            Check.booking_id == check.booking_id,
            Picture.access_point_id == check.access_point_id,
            Picture.taken_at > now - KEPT_FOR,
        )
        .order_by(Picture.taken_at.desc(), Picture.check_id.desc())
        .limit(1)
    )


def of_check(session: Session, check_id: int, now: datetime) -> tuple[Check, bytes]:
    """The check and the PNG it took; who may see it is the caller's to judge. Raises NotFound("picture")."""
    found = session.execute(
        select(Check, Picture.png)
        .join(Picture, Picture.check_id == Check.id)
        .where(Check.id == check_id, Picture.taken_at > now - KEPT_FOR)
    ).one_or_none()
    if found is None:
        raise NotFound("picture")
    return found[0], found[1]


def forget_door(session: Session, access_point_id: int) -> None:
    """Delete all pictures of a door."""
    session.execute(delete(Picture).where(Picture.access_point_id == access_point_id))


def forget_old(session: Session, now: datetime) -> None:
    """Delete what has been kept for its seven days."""
    session.execute(delete(Picture).where(Picture.taken_at <= now - KEPT_FOR))
