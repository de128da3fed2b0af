"""Customers' PBXs and the doors into them: added, changed, and given credentials that only the vault can open."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import audit, pictures
from scheduler.actor import Actor
from scheduler.calendars.rewriting import rewrite
from scheduler.context import DeskContext
from scheduler.rules.access import refuse_tools, require_method
from scheduler.rules.conditions import PLATFORMS
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.secret import Secret
from scheduler.rules.text import clean_host, clean_text
from scheduler.store.models import LIVE_STATUSES, AccessPoint, Booking, Customer, CustomerKey, System
from scheduler.store.vault import Vault

DEFAULT_PORTS = {"ssh": 22, "rdp": 3389, "vnc": 5900, "web": 5001}
PROFILES = ("modern", "legacy")
CREDENTIAL_KINDS = ("our_key", "password", "private_key")
KEY_GENERATION = 1
"""A customer's key pair is made once; its seal names this generation."""


@dataclass(frozen=True, slots=True)
class DoorForm:
    """What a person typed about a PBX and how to enter it; texts as typed, the credential never shown."""

    platform: str
    method: str
    host: str
    port: str
    username: str
    credential_kind: str
    credential: Secret | None = field(default=None, repr=False)
    name: str = ""
    profile: str = ""
    """SSH algorithms: modern, or legacy for the servers of CentOS 5 to 7; empty means modern."""
    pictures: bool = False
    """Checks may picture the screen; the customer has agreed."""


def add_system(
    session: Session,
    desk: DeskContext,
    vault: Vault,
    now: datetime,
    actor: Actor,
    customer_id: int,
    form: DoorForm,
) -> AccessPoint:
    """A new PBX with its door. Raises InvalidInput(field, problem), MethodNotAccepted, ToolNotAccepted."""
    values = _door_values(desk, form)
    name = clean_text("name", form.name, 80) or f"{form.platform.title()} {values['host']}"[:80]
    refuse_tools(desk.conditions, "name", name)
    customer = session.get_one(Customer, customer_id)
    system = System(customer=customer, platform=form.platform, name=name, created_at=now)
    point = AccessPoint(system=system, created_at=now, **values)
    session.add_all([system, point])
    session.flush()
    _keep_credential(session, vault, now, point, form)
    audit.record(session, desk.installation, now, actor, "system.add", f"access_point:{point.id}")
    _keep_consent(session, desk, now, actor, point, form)
    return point


def change_door(
    session: Session,
    desk: DeskContext,
    vault: Vault,
    now: datetime,
    actor: Actor,
    point_id: int,
    form: DoorForm,
) -> AccessPoint:
    """Another address, account or credential for a door. A new address forgets the pinned host keys.

    An empty credential keeps the stored one when kind, host and account stay. Raises as `add_system`, and NotFound.
    """
    point = visible_door(session, actor, point_id)
    values = _door_values(desk, form, platform=point.system.platform)
    moved = (point.host, point.port) != (values["host"], values["port"])
    same = not moved and (point.username, point.credential_kind) == (values["username"], form.credential_kind)
    keep = form.credential is None and same
    for pin in list(point.pins) if moved else []:
        session.delete(pin)
    for name, value in values.items():
        setattr(point, name, value)
    if not keep:
        point.credential_gen += 1
        _keep_credential(session, vault, now, point, form)
    rewrite(session, desk, now, (Booking.access_point_id == point.id) & Booking.status.in_(LIVE_STATUSES))
    if moved:
        pictures.forget_door(session, point.id)  # they show another machine
    audit.record(session, desk.installation, now, actor, "door.change", f"access_point:{point.id}")
    _keep_consent(session, desk, now, actor, point, form)
    return point


def _keep_consent(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, point: AccessPoint, form: DoorForm
) -> None:
    """Note who agreed to pictures, or took it back, which deletes those that are kept."""
    if form.pictures == (point.pictures_agreed_at is not None):
        return
    point.pictures_agreed_at = now if form.pictures else None
    if not form.pictures:
        session.flush()  # the door is locked first: a check that is under way sees this or is seen here
        pictures.forget_door(session, point.id)
    verb = "door.pictures_on" if form.pictures else "door.pictures_off"
    audit.record(session, desk.installation, now, actor, verb, f"access_point:{point.id}")


def visible_door(session: Session, actor: Actor, point_id: int) -> AccessPoint:
    """The access point, if the actor may see it. Raises NotFound("access_point")."""
    point = session.get(AccessPoint, point_id)
    if point is None or (actor.customer_id is not None and point.system.customer_id != actor.customer_id):
        raise NotFound("access_point")
    return point


def doors(session: Session, customer_id: int) -> list[AccessPoint]:
    """The customer's access points, the newest first."""
    query = (
        select(AccessPoint)
        .join(System)
        .where(System.customer_id == customer_id)
        .order_by(AccessPoint.id.desc())
    )
    return list(session.scalars(query))


def our_public_key(session: Session, vault: Vault, now: datetime, customer_id: int) -> str:
    """The public line of the key pair with which we enter this customer's systems; made when first asked for."""
    row = session.get(CustomerKey, customer_id)
    if row is None:
        row = _make_key(session, vault, now, customer_id)
    return row.public_key


def _make_key(session: Session, vault: Vault, now: datetime, customer_id: int) -> CustomerKey:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    sealed = vault.seal(Secret(private.decode()), "customer_key", customer_id, "private_key", KEY_GENERATION)
    row = CustomerKey(
        customer_id=customer_id, public_key=f"{public.decode()} ventana", private_key=sealed, created_at=now
    )
    session.add(row)
    session.flush()
    return row


def _door_values(desk: DeskContext, form: DoorForm, platform: str | None = None) -> dict[str, str | int]:
    platform = platform or form.platform
    if platform not in PLATFORMS:
        raise InvalidInput("platform", "not_offered", offered=list(PLATFORMS))
    require_method(desk.conditions, platform, form.method)
    refuse_tools(desk.conditions, "host", form.host)
    if form.credential_kind not in CREDENTIAL_KINDS:
        raise InvalidInput("credential_kind", "not_offered", offered=list(CREDENTIAL_KINDS))
    if form.method != "ssh" and form.credential_kind != "password":
        # Keys are SSH's; a desktop with "our key" would have nothing to let us in with.
        raise InvalidInput("credential_kind", "not_offered", offered=["password"])
    if form.pictures and form.method not in pictures.METHODS:
        raise InvalidInput("pictures", "not_offered", offered=list(pictures.METHODS))
    profile = form.profile or "modern"
    if profile not in PROFILES:
        raise InvalidInput("profile", "not_offered", offered=list(PROFILES))
    username = clean_text("username", form.username, 64)
    if not username:
        raise InvalidInput("username", "required")
    return {
        "method": form.method,
        "host": clean_host("host", form.host),
        "port": _port(form.port or str(DEFAULT_PORTS[form.method])),
        "username": username,
        "credential_kind": form.credential_kind,
        "profile": profile,
    }


def _port(text: str) -> int:
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit()) or not 1 <= int(cleaned[:9]) <= 65535:
        raise InvalidInput("port", "out_of_range", minimum=1, maximum=65535)
    return int(cleaned)


def _keep_credential(
    session: Session, vault: Vault, now: datetime, point: AccessPoint, form: DoorForm
) -> None:
    if form.credential_kind == "our_key":
        our_public_key(session, vault, now, point.system.customer_id)
        point.credential = None
        return
    if form.credential is None or not form.credential.reveal():
        raise InvalidInput("credential", "required")
    if len(form.credential.reveal()) > 16_384:
        raise InvalidInput("credential", "too_long", maximum=16_384)
    if form.credential_kind == "private_key":
        # Here and not at the first check: the person who can export the key again is sitting in front of the form.
        from scheduler.checks.credentials import require_usable_key

        require_usable_key(form.credential)
    point.credential = vault.seal(
        form.credential, "access_point", point.id, "credential", point.credential_gen
    )
