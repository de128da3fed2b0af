"""/bookings: make, read, move, cancel, approve, refuse, check."""

from collections.abc import Callable
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import approving
from scheduler.bookings import booking as bookings
from scheduler.bookings.idempotency import book_once
from scheduler.bootstrap import Service
from scheduler.checks import planning
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput
from scheduler.store.engines import read, retrying, write
from scheduler.store.models import Booking
from web.api.bodies import (
    BookingBody,
    MoveBody,
    RefuseBody,
    RevBody,
    booking_document,
    check_document,
    read_body,
)
from web.security import api_person

T = TypeVar("T")


def add_to(api: Blueprint) -> None:
    """Register the routes of bookings."""
    api.add_url_rule("/bookings", view_func=make, methods=["POST"])
    api.add_url_rule("/bookings/<int(max=2147483647):booking_id>", view_func=show)
    api.add_url_rule("/bookings/<int(max=2147483647):booking_id>/move", view_func=move, methods=["POST"])
    api.add_url_rule("/bookings/<int(max=2147483647):booking_id>/cancel", view_func=cancel, methods=["POST"])
    api.add_url_rule(
        "/bookings/<int(max=2147483647):booking_id>/approve", view_func=approve, methods=["POST"]
    )
    api.add_url_rule("/bookings/<int(max=2147483647):booking_id>/refuse", view_func=refuse, methods=["POST"])
    api.add_url_rule(
        "/bookings/<int(max=2147483647):booking_id>/checks",
        endpoint="ask_check",
        view_func=check,
        methods=["POST"],
    )


def service() -> Service:
    """The running service."""
    found: Service = current_app.extensions["ventana"]
    return found


def writing(verb: Callable[[Session, DeskContext], T]) -> T:
    """One verb in one transaction, again when the database sacrificed it to a deadlock."""

    def attempt() -> T:
        with write(service().sessions) as session:
            return verb(session, service().desk(session))

    return retrying(attempt)


def make() -> ResponseReturnValue:
    """Book. With an Idempotency-Key header a repetition gets the first answer."""
    person, body, now = api_person(), read_body(BookingBody), service().clock()
    key = request.headers.get("Idempotency-Key")

    def verb(session: Session, desk: DeskContext) -> tuple[Booking, bool]:
        wanted = _request_of(body, desk)

        def book() -> Booking:
            return bookings.book(session, desk, now, person.actor, wanted)

        if key is None:
            return book(), False
        return book_once(session, now, str(person.actor), key, body.model_dump(mode="json"), book)

    row, repeated = writing(verb)
    headers = {"Location": f"/api/v1/bookings/{row.id}"} | (
        {"Idempotency-Replayed": "true"} if repeated else {}
    )
    return jsonify(booking_document(row)), 201, headers


def show(booking_id: int) -> ResponseReturnValue:
    """One booking."""
    person = api_person()
    with read(service().sessions) as session:
        return jsonify(booking_document(bookings.visible(session, person.actor, booking_id)))


def move(booking_id: int) -> ResponseReturnValue:
    """Another time or technician."""
    person, body, now = api_person(), read_body(MoveBody), service().clock()

    def verb(session: Session, desk: DeskContext) -> Booking:
        zone = _zone(body.zone, desk)
        to = bookings.Move(body.rev, body.start_at, zone, body.technician, body.override_reason)
        return bookings.move(session, desk, now, person.actor, booking_id, to)

    return jsonify(booking_document(writing(verb)))


def cancel(booking_id: int) -> ResponseReturnValue:
    """Cancel; the slot is free at once."""
    person, body, now = api_person(), read_body(RevBody), service().clock()

    def verb(session: Session, desk: DeskContext) -> Booking:
        return bookings.cancel(session, desk, now, person.actor, booking_id, body.rev)

    return jsonify(booking_document(writing(verb)))


def approve(booking_id: int) -> ResponseReturnValue:
    """Confirm a booking that waits for the desk; dispatchers only."""
    person, body, now = api_person(), read_body(RevBody), service().clock()

    def verb(session: Session, desk: DeskContext) -> Booking:
        return approving.approve(session, desk, now, person.actor, booking_id, body.rev)

    return jsonify(booking_document(writing(verb)))


def refuse(booking_id: int) -> ResponseReturnValue:
    """Say no to a booking that waits for the desk, with the reason; dispatchers only."""
    person, body, now = api_person(), read_body(RefuseBody), service().clock()

    def verb(session: Session, desk: DeskContext) -> Booking:
        return approving.refuse(session, desk, now, person.actor, booking_id, body.rev, body.reason)

    return jsonify(booking_document(writing(verb)))


def check(booking_id: int) -> ResponseReturnValue:
    """Ask for a check of the access now; its outcome is read at Location."""
    person, now = api_person(), service().clock()

    def verb(session: Session, _: DeskContext) -> dict[str, object]:
        row = bookings.visible(session, person.actor, booking_id)
        return check_document(planning.ask(session, now, person.actor, row.access_point, row))

    document = writing(verb)
    return jsonify(document), 202, {"Location": f"/api/v1/checks/{document['id']}"}


def _request_of(body: BookingBody, desk: DeskContext) -> bookings.BookingRequest:
    return bookings.BookingRequest(
        access_point_id=body.access_point,
        entitlement_id=body.entitlement,
        starts_at=body.start_at,
        minutes=body.minutes,
        zone=_zone(body.zone, desk),
        technician_id=body.technician,
        topic=body.topic,
        description=body.description,
        override_reason=body.override_reason,
    )


def _zone(name: str | None, desk: DeskContext) -> str:
    if name is None:
        return desk.zone.key
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput("zone", "not_offered", example="Europe/Madrid") from None
