"""Entries of the waiting list as customer and dispatcher see them, with what each was offered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy.orm import Session

from scheduler.context import Installation
from scheduler.store.models import SlotOffer, WaitingEntry
from scheduler.waiting.answering import state_at
from scheduler.waiting.joining import offers_of
from scheduler.waiting.telling import offer_token
from web import i18n
from web.words.waiting import entry_state, offer_state

_LOOKS = {"waiting": "waiting", "booked": "ok", "open": "warn", "accepted": "ok"}


def entry_views(
    session: Session, installation: Installation, entries: Sequence[WaitingEntry], now: datetime
) -> list[dict[str, Any]]:
    """What templates say of each entry, in the order given."""
    offers = offers_of(session, entries)
    return [_entry(installation, entry, offers[entry.id], now) for entry in entries]


def _entry(
    installation: Installation, entry: WaitingEntry, offers: Sequence[SlotOffer], now: datetime
) -> dict[str, Any]:
    return {
        "id": entry.id,
        "customer_id": entry.customer_id,
        "company": entry.customer.company,
        "system": entry.access_point.system.name,
        "length": i18n.say_duration(entry.minutes),
        "technician": entry.technician.name if entry.technician else None,
        "days": say_range(entry),
        "since": i18n.say_short_moment(entry.created_at),
        "state": entry.state,
        "state_word": entry_state(entry.state),
        "look": _LOOKS.get(entry.state, "unknown"),
        "reason": entry.reason,
        "description": entry.description,
        "offers": [offer_view(installation, offer, now) for offer in offers],
    }


def offer_view(installation: Installation, offer: SlotOffer, now: datetime) -> dict[str, Any]:
    """One offered slot, on the clock of whoever waits; the address only while it can be answered."""
    zone, state = ZoneInfo(offer.entry.zone), state_at(offer, now)
    return {
        "title": f"{i18n.say_moment(offer.held.starts_at, zone)}–{i18n.say_time(offer.held.ends_at, zone)}",
        "short": i18n.say_short_moment(offer.held.starts_at, zone),
        "zone": i18n.say_zone(zone, offer.held.starts_at),
        "technician": offer.held.technician.name,
        "system": offer.entry.access_point.system.name,
        "company": offer.entry.customer.company,
        "until": i18n.say_moment(offer.expires_at, zone),
        "state": state,
        "state_word": offer_state(state),
        "look": _LOOKS.get(state, "unknown"),
        "url": url_for("waiting.ask", token=offer_token(installation, offer.held.uid))
        if state == "open"
        else None,
    }


def say_range(entry: WaitingEntry) -> str:
    """The days that are waited for: mié 25 nov – vie 27 nov."""
    zone = ZoneInfo(entry.zone)
    first = entry.from_at.astimezone(zone).date()
    last = (entry.until_at - timedelta(seconds=1)).astimezone(zone).date()
    days = i18n.say_short_day(first)
    return days if first == last else f"{days} – {i18n.say_short_day(last)}"
