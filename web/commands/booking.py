"""slots, book, move, cancel: what a dispatcher does, from the command line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext, day_window
from scheduler.identity.people import clean_cif
from scheduler.rules.hours import to_utc
from scheduler.rules.refusals import InvalidInput, NotEntitled, NotFound
from scheduler.slots import availability
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Booking, Customer, System, Technician
from scheduler.wording import say_window
from web.commands.console import desk_service, emit, json_option, language, table

CONSOLE = Actor("dispatcher", 0, "console")
WHEN_HELP = "Local time at the desk, e.g. 2026-11-25T10:30 (or with an offset, e.g. 2026-11-25T10:30+01:00)."


@click.command()
@click.option("--technician", help="E-mail of one technician; otherwise whoever is free first.")
@click.option(
    "--platform", type=click.Choice(["asterisk", "elastix", "3cx"]), default="asterisk", show_default=True
)
@click.option(
    "--kind",
    type=click.Choice(["purchase", "hours", "maintenance", "reseller"]),
    default="hours",
    show_default=True,
    help="Entitlement, whose lead time applies.",
)
@click.option("--minutes", type=int, default=60, show_default=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day; default today.")
@click.option("--days", type=click.IntRange(1, 60), default=7, show_default=True)
@json_option
def slots(
    technician: str | None,
    platform: str,
    kind: str,
    minutes: int,
    first: datetime | None,
    days: int,
    as_json: bool,
) -> None:
    """List the bookable slots."""
    with desk_service() as service, read(service.sessions) as session:
        desk, now = service.desk(session), service.clock()
        ledger = availability.lead_ledger(desk, kind, now)
        window = day_window(desk, first.date() if first else desk.today(now), days)
        wanted = _technician(session, technician).id if technician else None
        people = availability.candidates(session, None, platform, wanted)
        found = availability.offers(
            session, desk, now, people, timedelta(minutes=minutes), window, ledger.earliest_at
        )
        names = {person.id: person.name for person in people}
        rows = [
            {"start_at": o.slot.start, "end_at": o.slot.end, "technician": names[o.technician_id]}
            for o in found
        ]
        emit(
            as_json,
            {"earliest_at": ledger.earliest_at, "slots": rows},
            lambda: _slot_text(desk, rows, ledger.earliest_at),
        )


@click.command()
@click.option("--customer", required=True, help="CIF of the customer.")
@click.option("--start", required=True, help=WHEN_HELP)
@click.option("--minutes", type=int, default=60, show_default=True)
@click.option("--system", "system_name", help="Name of the PBX; not needed where the customer has one.")
@click.option("--entitlement", type=int, help="Number of the entitlement; default the best applicable.")
@click.option(
    "--technician", help="E-mail of the technician; default the first free, the assigned one first."
)
@click.option("--topic", help="Needed for purchase support: installation, devices, dial, terminals.")
@click.option("--description", default="", help="What is to be done.")
@click.option(
    "--override-reason", help="Book inside the lead time or outside hours, and say why (kept on the booking)."
)
@json_option
def book(  # noqa: PLR0917 - one parameter per option, given by name
    customer: str,
    start: str,
    minutes: int,
    system_name: str | None,
    entitlement: int | None,
    technician: str | None,
    topic: str | None,
    description: str,
    override_reason: str | None,
    as_json: bool,
) -> None:
    """Book an intervention for a customer."""
    with desk_service() as service, write(service.sessions) as session:
        desk, now = service.desk(session), service.clock()
        who = _customer(session, customer)
        request = bookings.BookingRequest(
            access_point_id=_door(session, who, system_name).id,
            entitlement_id=entitlement or _best_right(session, desk, now, who, minutes),
            starts_at=_instant(desk, start),
            minutes=minutes,
            zone=desk.zone.key,
            technician_id=_technician(session, technician).id if technician else None,
            topic=topic,
            description=description,
            override_reason=override_reason,
        )
        row = bookings.book(session, desk, now, CONSOLE, request)
        _emit_booking(as_json, desk, row)


@click.command()
@click.argument("booking_id", type=int)
@click.option("--start", required=True, help=WHEN_HELP)
@click.option("--technician", help="E-mail of another technician.")
@click.option("--override-reason", help="Move inside the lead time or outside hours, and say why.")
@json_option
def move(
    booking_id: int, start: str, technician: str | None, override_reason: str | None, as_json: bool
) -> None:
    """Give a booking another time."""
    with desk_service() as service, write(service.sessions) as session:
        desk = service.desk(session)
        row = bookings.visible(session, CONSOLE, booking_id)
        person = _technician(session, technician).id if technician else None
        to = bookings.Move(row.rev, _instant(desk, start), desk.zone.key, person, override_reason)
        moved = bookings.move(session, desk, service.clock(), CONSOLE, row.id, to)
        _emit_booking(as_json, desk, moved)


@click.command()
@click.argument("booking_id", type=int)
@json_option
def cancel(booking_id: int, as_json: bool) -> None:
    """Cancel a booking; the slot is free at once and held hours return."""
    with desk_service() as service, write(service.sessions) as session:
        desk = service.desk(session)
        row = bookings.visible(session, CONSOLE, booking_id)
        _emit_booking(
            as_json, desk, bookings.cancel(session, desk, service.clock(), CONSOLE, row.id, row.rev)
        )


def _instant(desk: DeskContext, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("start", "not_a_date", example="2026-11-25T10:30") from None
    return moment.astimezone(UTC) if moment.tzinfo else to_utc(moment, desk.zone)


def _technician(session: Session, email: str) -> Technician:
    row = session.scalar(select(Technician).where(Technician.email == email))
    if row is None:
        raise NotFound("technician")
    return row


def _customer(session: Session, cif: str) -> Customer:
    row = session.scalar(select(Customer).where(Customer.cif == clean_cif(cif)))
    if row is None:
        raise NotFound("customer")
    return row


def _door(session: Session, customer: Customer, name: str | None) -> AccessPoint:
    query = select(AccessPoint).join(System).where(System.customer_id == customer.id).order_by(AccessPoint.id)
    found = list(session.scalars(query if name is None else query.where(System.name == name)))
    if not found:
        raise NotFound("access_point")
    if name is None and len(found) > 1:
        raise InvalidInput("system", "required", offered=[point.system.name for point in found])
    return found[0]


def _best_right(session: Session, desk: DeskContext, now: datetime, customer: Customer, minutes: int) -> int:
    judged = entitlements.rights(session, desk, now, customer.id, minutes)
    if not judged:
        raise NotEntitled(())
    return judged[0].facts.id


def _emit_booking(as_json: bool, desk: DeskContext, row: Booking) -> None:
    document = booking_document(row)
    emit(as_json, document, lambda: _booking_text(desk, row))


def booking_document(row: Booking) -> dict[str, Any]:
    """A booking as programs read it; instants in UTC."""
    return {
        "id": row.id,
        "uid": row.uid,
        "status": row.status,
        "rev": row.rev,
        "start_at": row.starts_at,
        "end_at": row.ends_at,
        "technician": row.technician.name,
        "company": row.customer.company,
        "system": row.system.name,
        "method": row.access_point.method,
        "verdict": row.verdict,
        "verdict_code": row.verdict_code,
        "override_reason": row.override_reason,
    }


def _booking_text(desk: DeskContext, row: Booking) -> str:
    when = say_window(row.starts_at, row.ends_at, desk.zone, language())
    return (
        f"{row.id}  {row.status}  {when}\n{row.customer.company} · {row.system.name} · {row.technician.name}"
    )


def _slot_text(desk: DeskContext, rows: list[dict[str, Any]], earliest_at: datetime) -> str:
    cells = [
        [say_window(row["start_at"], row["end_at"], desk.zone, language()), row["technician"]] for row in rows
    ]
    first = earliest_at.astimezone(desk.zone).strftime("%Y-%m-%d %H:%M")
    return f"earliest {first} ({desk.zone.key})\n" + (
        table(cells, ["slot", "technician"]) if cells else "no free slot"
    )
