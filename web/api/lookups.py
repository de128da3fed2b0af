"""/slots, /access-points, /entitlements, /checks: what a program needs to know before and after it books."""

from datetime import date, timedelta

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.context import day_window
from scheduler.doors import systems
from scheduler.rules.conditions import KINDS, PLATFORMS
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.slots import availability
from scheduler.store.engines import read
from scheduler.store.models import Check, Customer
from web.api.bodies import YEARS, check_document, door_document, instant
from web.api.bookings import service
from web.security import Person, api_person

MOST_DAYS = 31


def add_to(api: Blueprint) -> None:
    """Register the routes that only read."""
    api.add_url_rule("/slots", view_func=slots)
    api.add_url_rule("/access-points", view_func=access_points)
    api.add_url_rule("/entitlements", view_func=rights)
    api.add_url_rule("/checks/<int(max=2147483647):check_id>", endpoint="show_check", view_func=check)


def slots() -> ResponseReturnValue:
    """Bookable slots: ?minutes=60&from=2026-11-25&days=7&platform=asterisk&kind=hours&technician=1."""
    person = api_person()
    minutes, days = _whole("minutes", 60, 24 * 60), _whole("days", 7, MOST_DAYS)
    platform, kind = _choice("platform", PLATFORMS), _choice("kind", KINDS, "hours")
    with read(service().sessions) as session:
        desk, now = service().desk(session), service().clock()
        ledger = availability.lead_ledger(desk, kind, now)
        window = day_window(desk, _day("from", desk.today(now)), days)
        wanted = _whole("technician", 0, 2**31) or None
        people = availability.candidates(session, _customer(session, person), platform, wanted)
        found = availability.offers(
            session, desk, now, people, timedelta(minutes=minutes), window, ledger.earliest_at
        )
    return jsonify(
        earliest_at=instant(ledger.earliest_at),
        slots=[
            {"start_at": instant(o.slot.start), "end_at": instant(o.slot.end), "technician": o.technician_id}
            for o in found
        ],
    )


def access_points() -> ResponseReturnValue:
    """The customer's doors; staff name one by ?customer=."""
    person = api_person()
    with read(service().sessions) as session:
        return jsonify(
            access_points=[door_document(row) for row in systems.doors(session, _customer_id(person))]
        )


def rights() -> ResponseReturnValue:
    """The customer's entitlements, the best first, with the reasons where one does not apply."""
    person = api_person()
    minutes, topic = _whole("minutes", 60, 24 * 60), request.args.get("topic")
    with read(service().sessions) as session:
        desk = service().desk(session)
        judged = entitlements.rights(session, desk, service().clock(), _customer_id(person), minutes, topic)
    return jsonify(
        entitlements=[
            {
                "id": one.facts.id,
                "kind": one.facts.kind,
                "allowed": one.allowed,
                "reasons": [reason.code for reason in one.reasons],
                "balance_minutes": one.facts.balance_minutes if one.facts.metered else None,
            }
            for one in judged
        ]
    )


def check(check_id: int) -> ResponseReturnValue:
    """One check with its steps."""
    person = api_person()
    with read(service().sessions) as session:
        row = session.get(Check, check_id)
        if row is None:
            raise NotFound("check")
        systems.visible_door(session, person.actor, row.access_point_id)
        return jsonify(check_document(row))


def _customer_id(person: Person) -> int:
    return person.actor.customer_id if person.actor.customer_id is not None else _whole("customer", 0, 2**31)


def _customer(session: Session, person: Person) -> Customer | None:
    return session.scalar(select(Customer).where(Customer.id == _customer_id(person)))


def _whole(name: str, default: int, most: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most):
        raise InvalidInput(name, "out_of_range", minimum=1, maximum=most)
    return int(text)


def _day(name: str, default: date) -> date:
    text = request.args.get(name, "")
    try:
        day = date.fromisoformat(text) if text else default
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise InvalidInput(name, "not_a_date", example="2026-11-25")
    return day


def _choice(name: str, offered: tuple[str, ...], default: str | None = None) -> str:
    text = request.args.get(name, default or offered[0])
    if text not in offered:
        raise InvalidInput(name, "not_offered", offered=list(offered))
    return text
