"""The cards on which people subscribe to a calendar: addresses as text, links and QR codes, with their settings."""

import io
import ipaddress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
from flask import Response, current_app, request
from sqlalchemy.orm import Session

from scheduler.calendars import secrets
from scheduler.rules.refusals import InvalidInput, NotFound
from web import i18n
from web.i18n import gettext as _

ALARMS = (5, 10, 15, 30, 60, 120)
"""Minutes before the start that one can choose from."""


def address_view(feed: secrets.FeedAddress, name: str, at: datetime) -> dict[str, Any]:
    """What a card says of one address; the caller adds where its forms go."""
    alarm = feed.settings.alarm_minutes
    return {
        "id": feed.id,
        "name": name,
        "scope": feed.scope,
        "url": feed.url,
        "webcal": feed.webcal,
        "links": _links(feed.url, feed.webcal, name) if feed.url and feed.webcal else [],
        "reachable": feed.url is not None and _reachable(feed.url),
        "detail": feed.settings.detail,
        "alarm": "" if alarm is None else alarm,
        "read": _read(feed, at),
        "left_out": feed.left_out,
    }


def _links(url: str, webcal: str, name: str) -> list[tuple[str, str]]:
    """Program and the address that subscribes in it with one click; cloud calendars must reach us from outside."""
    own = [("Apple", webcal), ("Thunderbird", webcal)]
    if not _reachable(url):
        return own
    outlook = urlencode({"url": url, "name": name})
    return [
        ("Google", "https://calendar.google.com/calendar/render?" + urlencode({"cid": webcal})),
        ("Outlook.com", f"https://outlook.live.com/calendar/0/addfromweb?{outlook}"),
        ("Microsoft 365", f"https://outlook.office.com/calendar/0/addfromweb?{outlook}"),
        *own,
    ]


def _reachable(url: str) -> bool:
    """Whether the services of others could read the address: not where it names a private machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".lan", ".localhost"))


def _read(feed: secrets.FeedAddress, at: datetime) -> str:
    if feed.last_read_at is None:
        return _("No calendar has read it yet.")
    ago = i18n.say_ago(feed.last_read_at, at)
    if feed.last_reader in (None, "", "?"):
        return _("Read %(ago)s", ago=ago)
    return _("Read %(ago)s by %(reader)s", ago=ago, reader=feed.last_reader)


def chosen_settings(before: str = "full") -> secrets.FeedSettings:
    """Detail and reminder of the form that was sent. Raises InvalidInput("alarm") for what is no number."""
    alarm = request.form.get("alarm", "")
    if alarm and not (alarm.isascii() and alarm.isdigit() and len(alarm) < 6):
        raise InvalidInput("alarm", "not_offered", offered=list(ALARMS))
    return secrets.FeedSettings(request.form.get("detail", before), int(alarm) if alarm else None)


def alarm_options() -> list[tuple[str, str]]:
    """The choices of a card's reminder."""
    before = [(str(minutes), _("%(length)s before", length=i18n.say_duration(minutes))) for minutes in ALARMS]
    return [("", _("No reminder")), *before]


def detail_options() -> list[tuple[str, str]]:
    """The choices of how much a calendar tells."""
    return [
        ("busy", _("Only that I am busy")),
        ("full", _("All but host and port")),
        ("host", _("All, with host and port")),
    ]


def addresses_of(session: Session, owner: secrets.Owner) -> tuple[secrets.FeedAddress, ...]:
    """The owner's addresses in use."""
    service = current_app.extensions["ventana"]
    return secrets.feeds_of(session, service.feed_key, service.settings.link_base, owner)


def qr_answer(found: tuple[secrets.FeedAddress, ...], feed_id: int) -> Response:
    """One of these addresses as a QR code. Raises NotFound("feed") for any other."""
    url = next((feed.url for feed in found if feed.id == feed_id), None)
    if url is None:
        raise NotFound("feed")
    picture = io.BytesIO()
    segno.make(url, error="m").save(picture, kind="svg", scale=4, border=3, light="#fff", xmldecl=False)
    return Response(picture.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "no-store"})
