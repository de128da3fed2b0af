"""Who is at the browser: sessions, cookies, tokens, and who may see a page.

Sessions live in the database, so that signing out, a new password or a dispatcher can end them; the
cookie is a random token of which only the hash is kept. Nothing of a person is kept in the browser.
"""

import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, ParamSpec, TypeVar, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.links import token_hash
from scheduler.rules.refusals import NotAllowed, SignInFailed
from scheduler.store.engines import read, write
from scheduler.store.models import ApiToken, Contact, Customer, Technician, WebSession

P = ParamSpec("P")

CUSTOMER_DOOR = "/book"
STAFF_DOOR = "/sign-in"
CUSTOMER_LIFE = timedelta(hours=12)
STAFF_LIFE = timedelta(hours=10)
IDLE_LIFE = timedelta(hours=3)
_RENEW_AFTER = timedelta(minutes=5)
BROWSER_LIFE = timedelta(days=30)
TOKEN_BYTES = 32
COOKIELESS = frozenset({"api", "calendars", "caldav", "reminders", "scraping", "waiting"})
"""Blueprints that never look at cookies: they have nothing a foreign page could ride on."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: the actor for the services, and what pages need to greet them."""

    actor: Actor
    name: str
    email: str
    locale: str
    zone: ZoneInfo
    authenticated_at: datetime
    company: str = ""
    cif: str = ""

    @property
    def staff(self) -> bool:
        """True for people of the desk."""
        return self.actor.staff

    @property
    def initials(self) -> str:
        """Two letters for the header."""
        words = self.name.split()
        return "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper()


def current_person() -> Person | None:
    """The person signed in at this browser, or None; read once per request."""
    if request.blueprint in COOKIELESS or g.get("failing"):
        return None
    if "person" not in g:
        token = request.cookies.get(cookie_name("session"))
        g.person = _person_of(token_hash(token)) if token else None
    return cast("Person | None", g.person)


def first_page(role: str) -> str:
    """Where the day of somebody of the desk begins: the whole team's for a dispatcher, else one's own agenda."""
    return "/team" if role == "dispatcher" else "/agenda"


def current_zone() -> ZoneInfo:
    """The zone in which times are said: the person's, whether browser or token speaks for them, else the desk's."""
    person = g.get("person") or current_person()
    if person is not None:
        return person.zone
    desk = current_app.extensions["ventana.desk"]()
    return desk.zone if desk else ZoneInfo("Europe/Madrid")


def sign_in(session: Session, person: Contact | Technician, now: datetime) -> None:
    """Open a session for this person in this browser; an older one of the browser ends.

    Call it inside the transaction that proved who they are; the cookie goes out with the response.
    """
    sign_out(session)
    staff = isinstance(person, Technician)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = WebSession(
        token_hash=token_hash(token),
        contact_id=None if staff else person.id,
        technician_id=person.id if staff else None,
        generation=person.session_generation,
        created_at=now,
        expires_at=now + IDLE_LIFE,
        authenticated_at=now,
    )
    session.add(row)
    g.session_token = token
    g.session_life = STAFF_LIFE if staff else CUSTOMER_LIFE
    g.pop("person", None)


def sign_out(session: Session) -> None:
    """End this browser's session, if it has one."""
    token = request.cookies.get(cookie_name("session"))
    if token:
        session.execute(delete(WebSession).where(WebSession.token_hash == token_hash(token)))
    g.session_token = ""
    g.person = None


def end_all_sessions(person: Contact | Technician) -> None:
    """End every session of a person, in every browser, at once (new password, lost laptop)."""
    person.session_generation += 1


def authenticated_again(session: Session, now: datetime) -> None:
    """Note that the person has just proved again who they are (before revealing a credential)."""
    token = request.cookies.get(cookie_name("session"), "")
    session.execute(
        update(WebSession).where(WebSession.token_hash == token_hash(token)).values(authenticated_at=now)
    )


def customer_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Only for a signed-in customer; others are led to the door and back."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        person = current_person()
        if person is None or person.actor.kind != "customer":
            return _to_door(CUSTOMER_DOOR)
        return view(*args, **kwargs)

    return guarded


def staff_required(
    role: str | None = None,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Only for people of the desk, or only for one role of them. Raises NotAllowed for the wrong role."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            person = current_person()
            if person is None or not person.staff:
                return _to_door(STAFF_DOOR)
            if role is not None and person.actor.kind != role:
                raise NotAllowed(role)
            return view(*args, **kwargs)

        return guarded

    return decorate


def api_person() -> Person:
    """The person a bearer token acts for (RFC 6750). Raises SignInFailed: missing, unknown or revoked."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignInFailed
    with read(_service().sessions) as session:
        row = _proof(session, ApiToken, token_hash(token.strip()))
        if row is None or row.revoked_at is not None:
            raise SignInFailed
        person = _describe(session, row.contact_id, row.technician_id, row.created_at)
    if person is None:
        raise SignInFailed
    g.person = person
    return person


Proof = TypeVar("Proof", ApiToken, WebSession)


def _proof(session: Session, kind: type[Proof], hashed: str) -> Proof | None:
    """The token's or session's row. Every request pays for this: the person comes with it, by one query for all."""
    found = session.execute(_proof_query(kind), {"hashed": hashed}).one_or_none()
    return found[0] if found else None


@functools.cache
def _proof_query(kind: type[Proof]) -> Select[Proof, Contact, Customer, Technician]:
    return (
        select(kind, Contact, Customer, Technician)
        .outerjoin(Contact, Contact.id == kind.contact_id)
        .outerjoin(Customer, Customer.id == Contact.customer_id)
        .outerjoin(Technician, Technician.id == kind.technician_id)
        .where(kind.token_hash == bindparam("hashed"))
    )


def browser_token() -> str:
    """A random value that stays with this browser: anonymous forms and mailed codes are bound to it."""
    if "browser_token" not in g:
        known = request.cookies.get(cookie_name("browser"), "")
        g.browser_token = known if 40 <= len(known) <= 60 else secrets.token_urlsafe(TOKEN_BYTES)
        g.browser_is_new = g.browser_token != known
    return cast("str", g.browser_token)


def _service() -> Any:
    return current_app.extensions["ventana"]


def cookie_name(purpose: str) -> str:
    """What a cookie of ours is called."""
    # __Host- makes the browser refuse the cookie from another host or path; it needs https.
    return f"__Host-{purpose}" if _service().settings.https else f"ventana_{purpose}"


def _person_of(hashed: str) -> Person | None:
    service = _service()
    now = service.clock()
    with read(service.sessions) as session:
        row = _proof(session, WebSession, hashed)
        if row is None:
            return None
        life = STAFF_LIFE if row.technician_id else CUSTOMER_LIFE
        ends_at = row.created_at + life
        if now >= min(row.expires_at, ends_at):
            return None
        person = _describe(session, row.contact_id, row.technician_id, row.authenticated_at, row.generation)
    if person is not None and row.expires_at < min(now + IDLE_LIFE - _RENEW_AFTER, ends_at):
        _renew(hashed, min(now + IDLE_LIFE, ends_at))
    return person


def _renew(hashed: str, expires_at: datetime) -> None:
    with write(_service().sessions) as session:
        session.execute(
            update(WebSession).where(WebSession.token_hash == hashed).values(expires_at=expires_at)
        )


def _describe(
    session: Session,
    contact_id: int | None,
    technician_id: int | None,
    authenticated_at: datetime,
    generation: int | None = None,
) -> Person | None:
    if technician_id is not None:
        technician = session.get(Technician, technician_id)
        if (
            technician is None
            or not technician.active
            or generation not in (None, technician.session_generation)
        ):
            return None
        kind: Literal["dispatcher", "technician"] = (
            "dispatcher" if technician.role == "dispatcher" else "technician"
        )
        return Person(
            Actor(kind, technician.id, technician.name),
            technician.name,
            technician.email,
            technician.locale,
            ZoneInfo(technician.zone),
            authenticated_at,
        )
    contact = session.get(Contact, contact_id)
    if contact is None or generation not in (None, contact.session_generation):
        return None
    customer: Customer = contact.customer
    return Person(
        Actor("customer", contact.id, contact.name, customer.id),
        contact.name,
        contact.email,
        customer.locale,
        ZoneInfo(customer.zone),
        authenticated_at,
        customer.company,
        customer.cif,
    )


def _to_door(door: str) -> ResponseReturnValue:
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = f"{door}?next={_quoted(back)}" if back and back != door else door
    if "HX-Request" in request.headers:
        # A redirect would be followed by fetch and the door drawn inside the page.
        return "", 204, {"HX-Redirect": door}
    return redirect(target, 303)


def _quoted(path: str) -> str:
    return quote(path, safe="/")


def write_cookies(response: Response) -> Response:
    """Send what signing in, signing out or a new browser has left to be kept."""
    if "session_token" in g:
        if g.session_token:
            _set_cookie(response, "session", g.session_token, g.session_life)
        else:
            _set_cookie(response, "session", "", timedelta(0))
    if g.get("browser_is_new"):
        _set_cookie(response, "browser", g.browser_token, BROWSER_LIFE)
    return response


def _set_cookie(response: Response, purpose: str, value: str, life: timedelta) -> None:
    response.set_cookie(
        cookie_name(purpose),
        value,
        max_age=int(life.total_seconds()),
        secure=_service().settings.https,
        httponly=True,
        samesite="Lax",
        path="/",
    )
