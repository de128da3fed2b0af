"""feed create|list|revoke: technicians' calendar addresses."""

from functools import partial

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.calendars import secrets
from scheduler.calendars.event import FailedStep
from scheduler.context import DeskContext
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Technician
from web.commands.console import desk_service, emit, json_option, table


@click.group()
def feed() -> None:
    """Make, list and revoke technicians' calendar addresses."""


@feed.command()
@click.argument("email")
@click.option("--scope", type=click.Choice(secrets.SCOPES), default="interventions", show_default=True)
@click.option(
    "--detail",
    type=click.Choice(secrets.DETAILS),
    default="full",
    show_default=True,
    help="busy: only that the time is taken; host: also host and port of the customers' PBXs.",
)
@click.option("--alarm", type=click.IntRange(0, secrets.LONGEST_ALARM), help="Remind so many minutes before.")
@json_option
def create(email: str, scope: str, detail: str, alarm: int | None, as_json: bool) -> None:
    """Make a calendar address for the technician with this e-mail; scope team is for dispatchers."""
    chosen = secrets.FeedSettings(detail, alarm)
    with desk_service() as service, write(service.sessions) as session:
        person = _technician(session, email)
        row = secrets.create_feed(session, service.feed_key, person.id, scope, service.clock(), chosen)
        secret = secrets.feed_secret(service.feed_key, row)
        url = secrets.feed_url(service.settings.link_base, secret, scope)
        emit(as_json, {"id": row.id, "scope": scope, "url": url}, lambda: url)


@feed.command("list")
@click.argument("email")
@json_option
def list_feeds(email: str, as_json: bool) -> None:
    """The technician's addresses in use, with who read them last."""
    with desk_service() as service, read(service.sessions) as session:
        person = _technician(session, email)
        found = secrets.feeds_of(session, service.feed_key, service.settings.link_base, person.id)
    rows = [
        {
            "id": f.id,
            "scope": f.scope,
            "detail": f.settings.detail,
            "alarm_minutes": f.settings.alarm_minutes,
            "url": f.url,
            "last_read_at": f.last_read_at,
            "last_reader": f.last_reader,
        }
        for f in found
    ]
    cells = [[str(f.id), f.scope, f.last_reader or "-", f.url or "-"] for f in found]
    emit(as_json, {"feeds": rows}, lambda: table(cells, ["id", "scope", "last reader", "address"]))


@feed.command()
@click.argument("email")
@click.argument("feed_id", type=int)
@json_option
def revoke(email: str, feed_id: int, as_json: bool) -> None:
    """End an address: calendar programs that ask for it are told that it is gone."""
    with desk_service() as service, write(service.sessions) as session:
        owner = secrets.Owner(technician_id=_technician(session, email).id)
        secrets.revoke_feed(session, owner, feed_id, service.clock())
    emit(as_json, {"revoked": feed_id}, lambda: f"{feed_id} revoked")


@feed.command()
@json_option
def rebuild(as_json: bool) -> None:
    """Write all stored calendar events anew: after an upgrade or a new base address. Doing it twice does nothing."""
    from scheduler.calendars.rewriting import numbers_of_events, rewrite

    seen = changed = 0
    with desk_service() as service:
        with read(service.sessions) as session:
            ranges = list(numbers_of_events(session, service.clock()))
        for first, last in ranges:
            # A transaction of its own for each part: bookings are made meanwhile.
            with write(service.sessions) as session:
                desk = service.desk(session)
                wanted = Booking.id.between(first, last)
                changed += rewrite(
                    session,
                    desk,
                    service.clock(),
                    wanted,
                    partial(_why_it_fails, desk),
                )
            seen += 1
            click.echo(f"rebuilding: {seen} of {len(ranges)} parts, {changed} events changed", err=True)
    emit(as_json, {"parts": seen, "changed": changed}, lambda: f"{changed} events changed")


def _why_it_fails(desk: DeskContext, session: Session, booking: Booking, locale: str) -> FailedStep | None:
    from scheduler.checks.explaining import last_failure

    return last_failure(session, booking, desk, locale)


def _technician(session: Session, email: str) -> Technician:
    row = session.scalar(select(Technician).where(Technician.email == email))
    if row is None:
        raise NotFound("technician")
    return row
