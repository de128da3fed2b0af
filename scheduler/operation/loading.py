"""Fill a desk from one TOML file: its hours, technicians, customers, contacts, entitlements and systems.

The file is how a desk starts before anybody can sign in; loading the same file again changes nothing.
"""

import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import SYSTEM
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.doors import systems
from scheduler.identity.passwords import MAX_LENGTH, MIN_LENGTH, hash_password
from scheduler.identity.people import clean_cif
from scheduler.rules.hours import parse_weekly_hours
from scheduler.rules.refusals import Refusal
from scheduler.rules.secret import Secret
from scheduler.store.models import Absence, Contact, Customer, Desk, Entitlement, Technician
from scheduler.store.vault import Vault


class LoadingRefused(Exception):
    """The file cannot be loaded; the message names the entry and what is wrong. Nothing was written."""


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("not a time zone; write for instance Europe/Madrid") from None


def _weekly(value: dict[str, list[tuple[str, str]]]) -> dict[str, list[list[str]]]:
    plain = {day: [list(span) for span in spans] for day, spans in value.items()}
    try:
        parse_weekly_hours(plain)
    except Refusal as refusal:
        raise ValueError(str(refusal)) from None
    return plain


def _cif(value: str) -> str:
    try:
        return clean_cif(value)
    except Refusal:
        raise ValueError("not a valid CIF: its check digit is wrong") from None


def _password(value: SecretStr) -> SecretStr:
    if not MIN_LENGTH <= len(value.get_secret_value()) <= MAX_LENGTH:
        raise ValueError(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Weekly = Annotated[dict[str, Any], AfterValidator(_weekly)]
Password = Annotated[SecretStr, AfterValidator(_password)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class Entry(BaseModel):
    """Unknown keys are refused: a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid")


class DeskEntry(Entry):
    """The desk itself."""

    name: str
    zone: Zone = "Europe/Madrid"
    email: Address
    phone: str
    reseller_phone: str
    source_address: str
    domain: str
    hours: Weekly
    holiday_country: str = "ES"
    holiday_region: str | None = None
    own_holidays: list[tuple[date, str]] = []


class AbsenceEntry(Entry):
    """Local times in the desk's zone."""

    start: datetime
    end: datetime
    reason: str

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start.replace(tzinfo=None) >= self.end.replace(tzinfo=None):
            raise ValueError("it ends before it starts")
        return self


class TechnicianEntry(Entry):
    """A person of the desk."""

    name: str
    email: Address
    role: Literal["technician", "dispatcher"] = "technician"
    password: Password | None = None
    locale: Literal["es", "en"] = "es"
    skills: list[Literal["asterisk", "elastix", "3cx"]] = ["asterisk", "elastix", "3cx"]
    hours: Weekly | None = None
    buffer_minutes: int = Field(default=0, ge=0, le=240)
    absences: list[AbsenceEntry] = []


class ContactEntry(Entry):
    """A person at a customer."""

    name: str
    email: Address
    phone: str | None = None


class EntitlementEntry(Entry):
    """A right to interventions; `hours` are granted into the ledger."""

    kind: Literal["purchase", "hours", "maintenance", "reseller"]
    hours: Decimal | None = Field(default=None, gt=0, le=10_000)
    valid_from: date
    valid_until: date | None = None
    serial: str | None = None
    invoice: str | None = None
    bought_on: date | None = None
    purchases_euros: Decimal | None = None
    contract_on: date | None = None


class SystemEntry(Entry):
    """A PBX and the door into it."""

    name: str
    platform: Literal["asterisk", "elastix", "3cx"]
    method: Literal["ssh", "rdp", "vnc", "web"]
    host: str
    port: int
    username: str
    credential_kind: Literal["our_key", "password", "private_key"] = "our_key"
    credential: SecretStr | None = None
    pictures: bool = False


class CustomerEntry(Entry):
    """A company; `technician` is the e-mail of the assigned one."""

    company: str
    cif: Annotated[str, AfterValidator(_cif)]
    locale: Literal["es", "en"] = "es"
    zone: Zone = "Europe/Madrid"
    technician: Address | None = None
    contacts: list[ContactEntry] = Field(min_length=1)
    entitlements: list[EntitlementEntry] = []
    systems: list[SystemEntry] = []


class DeskFile(Entry):
    """The whole file."""

    desk: DeskEntry
    technicians: list[TechnicianEntry] = Field(min_length=1)
    customers: list[CustomerEntry] = []


def read_file(path: Path) -> DeskFile:
    """Parse and check a desk file. Raises LoadingRefused naming every wrong entry."""
    try:
        return DeskFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise LoadingRefused(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LoadingRefused(f"{path}: not UTF-8; save it with this encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise LoadingRefused(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
        raise LoadingRefused(f"{path}: " + "; ".join(lines)) from None


def load(
    session: Session, installation: Installation, vault: Vault, now: datetime, file: DeskFile
) -> DeskContext:
    """Write what the file says and is not there yet, inside the caller's transaction."""
    _load_desk(session, file.desk)
    desk = load_desk(session, installation)
    people = {entry.email: _technician(session, desk, now, entry) for entry in file.technicians}
    for entry in file.customers:
        _customer(session, desk, vault, now, entry, people)
    return desk


def _load_desk(session: Session, entry: DeskEntry) -> None:
    row = session.get(Desk, 1) or Desk(id=1)
    for name in ("name", "zone", "email", "phone", "reseller_phone", "source_address", "holiday_country"):
        setattr(row, name, getattr(entry, name))
    row.domain = row.domain or entry.domain
    row.weekly_hours = entry.hours
    row.holiday_region = entry.holiday_region
    row.own_holidays = [[day.isoformat(), name] for day, name in entry.own_holidays]
    session.add(row)
    session.flush()


def _technician(session: Session, desk: DeskContext, now: datetime, entry: TechnicianEntry) -> Technician:
    row = session.scalar(select(Technician).where(Technician.email == entry.email))
    if row is not None:
        return row
    row = Technician(
        name=entry.name,
        email=entry.email,
        role=entry.role,
        password_hash=hash_password(entry.password.get_secret_value()) if entry.password else None,
        locale=entry.locale,
        zone=desk.zone.key,
        skills=list(entry.skills),
        weekly_hours=entry.hours,
        buffer_minutes=entry.buffer_minutes,
        calendar_changed_at=now,
    )
    session.add(row)
    session.flush()
    for absence in entry.absences:
        start, end = (
            moment.replace(tzinfo=moment.tzinfo or desk.zone) for moment in (absence.start, absence.end)
        )
        session.add(Absence(technician_id=row.id, starts_at=start, ends_at=end, reason=absence.reason))
    return row


def _customer(
    session: Session,
    desk: DeskContext,
    vault: Vault,
    now: datetime,
    entry: CustomerEntry,
    people: dict[str, Technician],
) -> None:
    if session.scalar(select(Customer.id).where(Customer.cif == entry.cif)) is not None:
        return
    assigned = _assigned(entry, people)
    row = Customer(company=entry.company, cif=entry.cif, locale=entry.locale, zone=entry.zone, created_at=now)
    row.technician_id = assigned.id if assigned else None
    row.contacts = [Contact(name=c.name, email=c.email, phone=c.phone) for c in entry.contacts]
    session.add(row)
    session.flush()
    for right in entry.entitlements:
        _entitlement(session, now, row, right)
    for system in entry.systems:
        _system(session, desk, vault, now, row, system)


def _assigned(entry: CustomerEntry, people: dict[str, Technician]) -> Technician | None:
    if entry.technician is None:
        return None
    if entry.technician not in people:
        raise LoadingRefused(
            f"customers: {entry.company}: technician {entry.technician} is not in technicians"
        )
    return people[entry.technician]


def _entitlement(session: Session, now: datetime, customer: Customer, entry: EntitlementEntry) -> None:
    cents = None if entry.purchases_euros is None else int(entry.purchases_euros * 100)
    row = Entitlement(
        customer_id=customer.id,
        kind=entry.kind,
        metered=entry.kind == "hours" or entry.hours is not None,
        valid_from=entry.valid_from,
        valid_until=entry.valid_until,
        serial=entry.serial,
        invoice=entry.invoice,
        bought_on=entry.bought_on,
        purchases_cents=cents,
        contract_on=entry.contract_on,
        created_at=now,
    )
    session.add(row)
    session.flush()
    if entry.hours is not None:
        entitlements.grant(session, now, row, int(entry.hours * 60), SYSTEM)


def _system(
    session: Session, desk: DeskContext, vault: Vault, now: datetime, customer: Customer, entry: SystemEntry
) -> None:
    form = systems.DoorForm(
        platform=entry.platform,
        method=entry.method,
        host=entry.host,
        port=str(entry.port),
        username=entry.username,
        credential_kind=entry.credential_kind,
        credential=Secret(entry.credential.get_secret_value()) if entry.credential else None,
        name=entry.name,
        pictures=entry.pictures,
    )
    try:
        systems.add_system(session, desk, vault, now, SYSTEM, customer.id, form)
    except Refusal as refusal:
        raise LoadingRefused(f"customers: {customer.company}: systems: {refusal}") from None
