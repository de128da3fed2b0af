"""Calendar addresses: made, shown again, rotated, revoked.

The secret in an address follows by HMAC from a key outside the database and from the feed's row, so that
the page can show address and QR code at any time while the database, which keeps a hash, tells nobody where
a calendar is read. Rows are never deleted: a revoked address must go on answering 410.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.secret import Secret
from scheduler.store.people import Technician
from scheduler.store.work import FeedSecret

SECRET_BYTES = 18
"""144 bits in 24 characters."""
LONGEST_URL = 116
"""Some clients cut longer addresses without a word."""
SCOPES = ("interventions", "slots", "team", "freebusy")
"""Scopes of technicians' calendars; `team` is for dispatchers. Customers have one, `customer`."""
DETAILS = ("busy", "full", "host")
LONGEST_ALARM = 1440


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has calendar addresses: one technician, or one contact of a customer."""

    technician_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What the owner chose for an address."""

    detail: str = "full"
    alarm_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """One line of the subscribe card.

    `url` and `webcal` are None when the address cannot be shown any more (the application key was replaced):
    it still works, and rotating gives one that can be shown.
    """

    id: int
    scope: str
    settings: FeedSettings
    url: str | None = field(repr=False)
    webcal: str | None = field(repr=False)
    created_at: datetime
    last_read_at: datetime | None
    last_reader: str | None
    left_out: int


def create_feed(
    session: Session,
    feed_key: Secret,
    technician_id: int,
    scope: str,
    now: datetime,
    settings: FeedSettings = FeedSettings(),
) -> FeedSecret:
    """A new address for a technician.

    Raises InvalidInput("scope" | "detail" | "alarm"), and NotAllowed for a team calendar of who is no dispatcher.
    """
    if scope not in SCOPES:
        raise InvalidInput("scope", "not_offered", offered=list(SCOPES))
    if scope == "team" and session.get_one(Technician, technician_id).role != "dispatcher":
        raise NotAllowed("team_calendar")
    return _create(session, feed_key, Owner(technician_id=technician_id), scope, now, settings)


def create_customer_feed(
    session: Session,
    feed_key: Secret,
    contact_id: int,
    now: datetime,
    settings: FeedSettings = FeedSettings(),
) -> FeedSecret:
    """A new address of a customer's whole calendar for one of their people. Raises InvalidInput("alarm")."""
    return _create(session, feed_key, Owner(contact_id=contact_id), "customer", now, settings)


def _create(
    session: Session, feed_key: Secret, owner: Owner, scope: str, now: datetime, settings: FeedSettings
) -> FeedSecret:
    _check(settings)
    feed = FeedSecret(
        technician_id=owner.technician_id,
        contact_id=owner.contact_id,
        # The secret depends on the id that the database gives; until then a random hash holds the place.
        secret_hash=hash_secret(secrets.token_hex(32)),
        scope=scope,
        detail=settings.detail,
        alarm_minutes=settings.alarm_minutes,
        created_at=now,
        changed_at=now,
    )
    session.add(feed)
    session.flush()
    feed.secret_hash = hash_secret(feed_secret(feed_key, feed).reveal())
    session.flush()
    return feed


def rotate_feed(session: Session, feed_key: Secret, owner: Owner, feed_id: int, now: datetime) -> FeedSecret:
    """Revoke an address and give another with the same scope and settings. Raises NotFound("feed")."""
    old = revoke_feed(session, owner, feed_id, now)
    return _create(session, feed_key, owner, old.scope, now, FeedSettings(old.detail, old.alarm_minutes))


def revoke_feed(session: Session, owner: Owner, feed_id: int, now: datetime) -> FeedSecret:
    """End an address: from now on it answers 410. Raises NotFound("feed") unless theirs and in use."""
    feed = _own(session, owner, feed_id)
    feed.revoked_at = now
    session.flush()
    return feed


def change_feed(session: Session, owner: Owner, feed_id: int, now: datetime, settings: FeedSettings) -> None:
    """Give an address other settings. Raises NotFound("feed") and InvalidInput("detail" | "alarm")."""
    feed = _own(session, owner, feed_id)
    _check(settings)
    if settings == FeedSettings(feed.detail, feed.alarm_minutes):
        return
    feed.detail, feed.alarm_minutes = settings.detail, settings.alarm_minutes
    # Later than anything a client may have been told, or a date alone would say that nothing changed.
    feed.changed_at = max(now, feed.changed_at, feed.last_read_at or now) + timedelta(seconds=1)


def _check(settings: FeedSettings) -> None:
    if settings.detail not in DETAILS:
        raise InvalidInput("detail", "not_offered", offered=list(DETAILS))
    if settings.alarm_minutes is not None and not 0 <= settings.alarm_minutes <= LONGEST_ALARM:
        raise InvalidInput("alarm", "not_offered", offered=[0, LONGEST_ALARM])


def feeds_of(
    session: Session, feed_key: Secret, link_base: str, owner: Owner | int
) -> tuple[FeedAddress, ...]:
    """The addresses in use of a technician (by number) or of any owner, oldest first."""
    whose = Owner(technician_id=owner) if isinstance(owner, int) else owner
    rows = session.scalars(
        select(FeedSecret)
        .where(
            FeedSecret.technician_id == whose.technician_id
            if whose.contact_id is None
            else FeedSecret.contact_id == whose.contact_id,
            FeedSecret.revoked_at.is_(None),
        )
        .order_by(FeedSecret.id)
    )
    return tuple(_address(row, feed_key, link_base) for row in rows)


def feed_secret(feed_key: Secret, feed: FeedSecret) -> Secret:
    """The secret of a stored feed; the creation time sets apart ids that a restored backup gives again."""
    owner = feed.technician_id if feed.contact_id is None else f"contact-{feed.contact_id}"
    facts = f"feed:{feed.id}:{owner}:{int(feed.created_at.timestamp())}"
    digest = hmac.new(feed_key.reveal().encode(), facts.encode(), hashlib.sha256).digest()
    return Secret(base64.urlsafe_b64encode(digest[:SECRET_BYTES]).decode())


def hash_secret(secret: str) -> str:
    """What the database keeps: SHA-256, which suffices for random secrets."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def feed_url(link_base: str, secret: Secret, scope: str = "interventions") -> str:
    """The address to subscribe to. Raises ValueError when our base_url is too long for calendar clients."""
    file = "freebusy.ifb" if scope == "freebusy" else "intervenciones.ics"
    url = f"{link_base}/cal/{secret.reveal()}/{file}"
    if len(url) > LONGEST_URL:
        raise ValueError(
            f"calendar addresses have {len(url)} characters; {LONGEST_URL} are safe: shorten base_url"
        )
    return url


def _own(session: Session, owner: Owner, feed_id: int) -> FeedSecret:
    feed = session.get(FeedSecret, feed_id)
    if feed is None or feed.revoked_at is not None or Owner(feed.technician_id, feed.contact_id) != owner:
        raise NotFound("feed")
    return feed


def _address(row: FeedSecret, feed_key: Secret, link_base: str) -> FeedAddress:
    secret = feed_secret(feed_key, row)
    shown = hmac.compare_digest(hash_secret(secret.reveal()), row.secret_hash)
    url = feed_url(link_base, secret, row.scope) if shown else None
    return FeedAddress(
        id=row.id,
        scope=row.scope,
        settings=FeedSettings(row.detail, row.alarm_minutes),
        url=url,
        webcal=f"webcal://{url.partition('://')[2]}" if url else None,
        created_at=row.created_at,
        last_read_at=row.last_read_at,
        last_reader=row.last_reader,
        left_out=row.left_out,
    )
