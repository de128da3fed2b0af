"""Step 2: with which right the session is asked for; the best one is chosen already."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, current_app, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.entitlements import granted_minutes, require, rights
from scheduler.rules.entitlement import Judgement
from scheduler.rules.refusals import NotFound, Refusal
from scheduler.store.engines import read
from scheduler.waiting.joining import count_waiting
from web import i18n
from web.app import current_desk, now
from web.customer.journey import Trip, current_trip, steps
from web.customer.who import customer_id
from web.i18n import gettext as _
from web.i18n import ngettext
from web.parts.ledger import full_date
from web.parts.refusing import NOTHING, Shown, plain, show
from web.public import kind_word
from web.security import customer_required
from web.words.refusals import reason_text

blueprint = Blueprint("entitlement", __name__, url_prefix="/book/entitlement")


@dataclass(frozen=True, slots=True)
class Card:
    """One entitlement as people see it."""

    id: int
    kind: str
    title: str
    text: str
    usable: bool
    reasons: tuple[str, ...]
    left: int | None
    """Minutes of the balance and of all that was granted, where minutes are counted."""
    granted: int


@blueprint.get("")
@customer_required
def choose() -> ResponseReturnValue:
    """Every right of the company, those that cannot be used with the reason."""
    return _page(current_trip())


@blueprint.post("")
@customer_required
def take() -> ResponseReturnValue:
    """Go on with one of them, if it allows a session today."""
    trip = current_trip()
    if trip.entitlement is None:
        shown = plain(
            "entitlement",
            "invalid_input:required",
            _("Nothing is chosen"),
            _("Choose with which support you book."),
        )
        return _page(trip, shown)
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        try:
            shortest = min(service.installation.conditions.durations_minutes)
            row = require(
                session, service.desk(session), now(), shortest, trip.entitlement, customer_id(), trip.topic
            )
        except NotFound:
            return redirect(Trip().url("customer.entitlement.choose"), 303)
        except Refusal as refusal:
            return _page(trip, show([refusal]))
    topic = trip.topic if row.kind == "purchase" else None
    return redirect(Trip(trip.entitlement, topic).url("customer.doors.choose"), 303)


def _page(trip: Trip, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        cards = list(_cards(session, service.desk(session)))
        waiting = count_waiting(session, customer_id())
    page = render_template(
        "customer/entitlement.html",
        steps=steps(trip, 2),
        cards=cards,
        chosen=trip.entitlement or next((card.id for card in cards if card.usable), None),
        topic=trip.topic,
        waiting=waiting,
        conditions=service.installation.conditions,
        shown=shown,
    )
    return page, shown.status


def _cards(session: Session, desk: DeskContext) -> Iterator[Card]:
    shortest = min(desk.conditions.durations_minutes)
    judged = rights(session, desk, now(), customer_id(), shortest)
    granted = granted_minutes(session, [each.facts.id for each in judged])
    for judgement in judged:
        facts = judgement.facts
        yield Card(
            id=facts.id,
            kind=facts.kind,
            title=_title(judgement, desk),
            text=_text(judgement, desk.today(now())),
            usable=judgement.allowed or judgement.only_topic_missing,
            # "Choose a topic" is asked for beside the topics, it is no reason against the card.
            reasons=tuple(
                reason_text(it.code, it.facts) for it in judgement.reasons if it.code != "topic_required"
            ),
            left=facts.balance_minutes if facts.metered else None,
            granted=granted.get(facts.id, 0),
        )


def _title(judgement: Judgement, desk: DeskContext) -> str:
    if judgement.facts.kind == "purchase":
        return _("Free support for %(days)s days after your purchase", days=desk.conditions.purchase_days)
    return kind_word(judgement.facts.kind)


def _text(judgement: Judgement, today: date) -> str:
    facts, last = judgement.facts, judgement.last_on
    parts = [_("Equipment with serial number %(serial)s", serial=facts.serial)] if facts.serial else []
    if last is None:
        return ". ".join(parts)
    if today > last and facts.metered and facts.balance_minutes:
        parts.append(_("%(hours)s were not used", hours=i18n.say_hours(facts.balance_minutes)))
    if facts.kind == "purchase" and today <= last:
        left = (last - today).days
        parts.append(
            ngettext("%(num)s day left", "%(num)s days left", left) if left else _("today is the last day")
        )
    if today <= last:
        parts.append(_("valid until %(day)s", day=full_date(last)))
    return ", ".join(parts)


def balance(session: Session, trip: Trip) -> Card | None:
    """The chosen entitlement for the side of the next steps, or None when it is not theirs."""
    desk = current_desk()
    cards = _cards(session, desk) if desk else iter(())
    return next((card for card in cards if card.id == trip.entitlement), None)
