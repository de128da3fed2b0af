"""What is tidied up by itself: holds past their time, and rows that only served to count or to sign in."""

from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session, sessionmaker

from scheduler import pictures
from scheduler.calendars.rewriting import outdated, rewrite
from scheduler.calendars.sync import forget_tombstones
from scheduler.clock import Clock
from scheduler.context import Installation, load_desk
from scheduler.customers import previews
from scheduler.store.bookings import HELD
from scheduler.store.engines import write
from scheduler.store.models import Booking, LoginAttempt, RateEvent, SignInCode, WebSession

KEEP = timedelta(days=1)


def expire_holds(factory: sessionmaker[Session], clock: Clock) -> None:
    """End the holds whose minutes have passed; listings ignore them already, this frees the rows."""
    now = clock()
    with write(factory) as session:
        session.execute(
            update(Booking)
            .where(HELD, Booking.held_until <= now)
            .values(status="expired", rev=Booking.rev + 1, changed_at=now)
            .execution_options(synchronize_session=False)
        )


def renew_calendars(factory: sessionmaker[Session], clock: Clock, installation: Installation) -> None:
    """Write anew what an earlier version of ours has written, so that an upgrade needs no command."""
    from scheduler.checks.explaining import last_failure  # the probes' words cost every start otherwise

    while True:
        with write(factory) as session:
            now = clock()
            ids = outdated(session, now)
            if not ids:
                return
            rewrite(
                session,
                load_desk(session, installation),
                now,
                Booking.id.in_(ids),
                lambda s, booking, locale: last_failure(s, booking, load_desk(s, installation), locale),
            )


def forget(factory: sessionmaker[Session], clock: Clock) -> None:
    """Delete tries, codes, ended sessions a day after they stopped to matter; old pictures, imports, tombstones."""
    before = clock() - KEEP
    with write(factory) as session:
        session.execute(delete(RateEvent).where(RateEvent.at < before))
        session.execute(delete(LoginAttempt).where(LoginAttempt.started_at < before))
        session.execute(delete(SignInCode).where(SignInCode.expires_at < before))
        session.execute(delete(WebSession).where(WebSession.expires_at < before))
        pictures.forget_old(session, clock())
        forget_tombstones(session, clock())
        previews.forget(session, clock())
