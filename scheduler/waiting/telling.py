"""The mails of the waiting list, and the links in them: what they prove follows from a key outside the database."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduler.context import DeskContext, Installation
from scheduler.links import TOKEN_BYTES
from scheduler.mailing import notices
from scheduler.store.models import SlotOffer, WaitingEntry
from scheduler.wording import say_day, say_duration, say_moment, say_window


def offer_token(installation: Installation, held_uid: str) -> str:
    """The token in /waiting/offer/<token>, from the random UID of the booking that holds the slot."""
    return _seal(installation, f"offer:{held_uid}")


def leave_token(installation: Installation, entry_id: int) -> str:
    """The token in /waiting/leave/<token>."""
    return f"{entry_id}-{_seal(installation, f'waiting:{entry_id}')}"


def entry_of_token(installation: Installation, token: str) -> int | None:
    """The entry that this token may leave the list with, or None for any other text."""
    number, _, _ = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) <= 15):
        return None
    right = hmac.compare_digest(token.encode(), leave_token(installation, int(number)).encode())
    return int(number) if right else None


def tell_offer(session: Session, desk: DeskContext, now: datetime, offer: SlotOffer) -> None:
    """Write to whoever waits that a slot is kept for them, until when, and how to answer."""
    entry, base = offer.entry, desk.installation.link_base
    link = f"{base}/waiting/offer/{offer_token(desk.installation, offer.held.uid)}"
    stop_url = f"{base}/waiting/leave/{leave_token(desk.installation, entry.id)}"
    for reader in _readers(entry):
        facts = _facts(entry, reader.locale) | _slot(offer, reader.locale) | {"link": link}
        key = f"offer:{offer.id}:{reader.address}"
        notices.write(session, desk, now, key, "waiting_offer", reader, facts, stop_url=stop_url)


def tell_ended(session: Session, desk: DeskContext, now: datetime, entry: WaitingEntry) -> None:
    """Write that the wait is over without a session, and why."""
    for reader in _readers(entry):
        facts = _facts(entry, reader.locale) | {"state": entry.state, "reason": entry.reason or ""}
        key = f"waiting:{entry.id}:{entry.state}:{reader.address}"
        notices.write(session, desk, now, key, "waiting_ended", reader, facts)


def _readers(entry: WaitingEntry) -> list[notices.Reader]:
    customer = entry.customer
    people = [entry.contact] if entry.contact else customer.contacts
    return [notices.Reader(person.name, person.email, customer.locale) for person in people]


def _facts(entry: WaitingEntry, locale: str) -> dict[str, Any]:
    zone = ZoneInfo(entry.zone)
    last = (entry.until_at - timedelta(seconds=1)).astimezone(zone).date()
    return {
        "company": entry.customer.company,
        "system": entry.access_point.system.name,
        "length": say_duration(entry.minutes),
        "first": say_day(entry.from_at.astimezone(zone).date(), locale),
        "last": say_day(last, locale),
    }


def _slot(offer: SlotOffer, locale: str) -> dict[str, str]:
    zone, held = ZoneInfo(offer.entry.zone), offer.held
    return {
        "starts": say_moment(held.starts_at, zone, locale),
        "when": say_window(held.starts_at, held.ends_at, zone, locale),
        "technician": held.technician.name,
        "until": say_moment(offer.expires_at, zone, locale),
    }


def _seal(installation: Installation, purpose: str) -> str:
    digest = hmac.new(installation.keys.link, purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()
