"""What a person of the desk chooses from when acting for a customer: the systems, the topics, whose time."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from scheduler import entitlements
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotEntitled
from scheduler.store.models import AccessPoint, Customer, System
from scheduler.team.workload import active_technicians
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.staff import number

Options = list[tuple[str, str]]


def choices(session: Session, desk: DeskContext) -> dict[str, Options]:
    """All of them, by the names that the pages give them."""
    return {
        "doors": _doors(session),
        "lengths": _lengths(desk),
        "technicians": _technicians(session),
        "topics": _topics(desk),
    }


def typed_door(session: Session, typed: str | None) -> AccessPoint:
    """The door that was chosen. Raises InvalidInput("door")."""
    door = session.get(AccessPoint, number(typed) or 0)
    if door is None:
        raise InvalidInput("door", "required")
    return door


def best_right(
    session: Session, desk: DeskContext, door: AccessPoint, minutes: int, topic: str | None
) -> int:
    """The customer's best entitlement; whether it allows this is decided when it is used. Raises NotEntitled."""
    judged = entitlements.rights(session, desk, now(), door.system.customer_id, minutes, topic)
    if not judged:
        raise NotEntitled
    return judged[0].facts.id


def _doors(session: Session) -> Options:
    """Every customer's doors, by company."""
    query = select(AccessPoint).join(System).join(Customer).order_by(Customer.search_key, System.name)
    rows = session.scalars(query.options(joinedload(AccessPoint.system).joinedload(System.customer)))
    words = [(str(row.id), row.system.customer.company, row.system.name, row.method) for row in rows]
    return [("", _("Choose"))] + [
        (id_, f"{who} · {what} ({i18n.say_method(how)})") for id_, who, what, how in words
    ]


def _topics(desk: DeskContext) -> Options:
    """All topics: what free support leaves out can be booked with hours, and without them the refusal says why."""
    included = [(it.code, getattr(it, i18n.language())) for it in desk.conditions.topics_included]
    excluded = [(it.code, getattr(it, i18n.language())) for it in desk.conditions.topics_excluded]
    marked = [(code, _("%(topic)s (not in free support)", topic=name)) for code, name in excluded]
    return [("", "–"), *included, *marked]


def _lengths(desk: DeskContext) -> Options:
    """The durations that can be asked for."""
    return [(str(minutes), i18n.say_duration(minutes)) for minutes in desk.conditions.durations_minutes]


def _technicians(session: Session) -> Options:
    """Who takes sessions; nobody in particular first."""
    people = [(str(each.id), each.name) for each in active_technicians(session)]
    return [("", _("The first who is free")), *people]
