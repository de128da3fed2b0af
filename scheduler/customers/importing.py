"""Customers from a CSV file: each row's fate decided first and shown, then written exactly so in one transaction.

Rows are read, compared and written in portions, so that a hundred thousand need hardly more memory than some.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.csv_reading import CsvRow
from scheduler.customers.keeping import (
    NAME_LENGTH,
    clean_email,
    clean_zone,
    require_dispatcher,
)
from scheduler.people import clean_cif
from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_text, search_key
from scheduler.store.models import Contact, Customer, FormerCustomer, Technician

FATES = ("new", "changed", "unchanged", "refused")
PORTION = 500
_LANGUAGES = {"es": "es", "espanol": "es", "spanish": "es", "castellano": "es"} | dict.fromkeys(
    ("en", "ingles", "english"), "en"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """What will become of one row; `problem` says why nothing will."""

    line: int
    fate: str
    cif: str
    company: str
    customer_id: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """Columns of the customer to write: all for a new one, those that differ for a changed one."""
    contact_id: int | None = None
    contact: Mapping[str, str] = field(default_factory=dict)
    """Columns of the contact to write; without `contact_id` a new person."""
    problem: InvalidInput | None = None

    @property
    def signature(self) -> str:
        """All that matters of it, for the plan's hash."""
        parts = (self.line, self.fate, self.cif, self.customer_id, self.contact_id)
        return repr((*parts, sorted(self.values.items()), sorted(self.contact.items())))


@dataclass(slots=True)
class Tally:
    """How many rows have which fate, and the hash over all of them; fed while a plan runs by."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    hashed: Any = field(default_factory=hashlib.sha256)

    def take(self, row: Planned) -> Planned:
        """Count the row."""
        self.counts[row.fate] += 1
        self.hashed.update(row.signature.encode())
        return row

    @property
    def total(self) -> int:
        """All rows counted."""
        return sum(self.counts.values())

    @property
    def plan_hash(self) -> str:
        """The hash over every row's fate and values."""
        return str(self.hashed.hexdigest())


def plan(session: Session, rows: Iterable[CsvRow], zone: str) -> Iterator[Planned]:
    """Each row's fate as the customers stand now. `zone` is that of new customers without one."""
    people = session.execute(select(Technician.email, Technician.id))
    staff = {email.casefold(): id_ for email, id_ in people}
    seen: dict[str, int] = {}
    source = iter(rows)
    while portion := list(islice(source, PORTION)):
        read = [_read(row, staff, seen) for row in portion]
        yield from _compare(session, read, zone)


def write(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, planned: Iterable[Planned]
) -> Tally:
    """Write a plan inside the caller's transaction; what it did is in the audit log as one entry."""
    require_dispatcher(actor)
    tally, source = Tally(), iter(planned)
    while portion := [tally.take(row) for row in islice(source, PORTION)]:
        _write_new(session, now, [row for row in portion if row.fate == "new"])
        for row in portion:
            if row.fate == "changed":
                _write_changed(session, row)
    facts = {name: tally.counts[name] for name in FATES}
    key = desk.installation.keys.audit
    audit.record(session, key, now, actor, "customer.import", "customers", **facts)
    return tally


def _read(row: CsvRow, staff: Mapping[str, int], seen: dict[str, int]) -> Planned:
    """The row's cells cleaned; refused where one cannot be taken."""
    cif, company = row.cells.get("cif", "")[:20], row.cells.get("company", "")[:NAME_LENGTH]
    try:
        values, contact = _values(row, staff), _contact(row.cells)
        _refuse_twice(seen, values["cif"], row.line)
    except InvalidInput as problem:
        return Planned(row.line, "refused", cif, company, problem=problem)
    return Planned(row.line, "new", values["cif"], values["company"], values=values, contact=contact)


def _refuse_twice(seen: dict[str, int], cif: str, line: int) -> None:
    first = seen.setdefault(cif, line)
    if first != line:
        raise InvalidInput("cif", "cif_twice", line=first)


def _values(row: CsvRow, staff: Mapping[str, int]) -> dict[str, Any]:
    """The customer's columns; empty optional cells are left out and change nothing."""
    cells = row.cells
    if row.surplus:
        raise InvalidInput("row", "too_many_cells")
    values: dict[str, Any] = {
        "company": clean_text("company", cells.get("company", ""), NAME_LENGTH, required=True),
        "cif": clean_cif(clean_text("cif", cells.get("cif", ""), 20, required=True)),
    }
    if cells.get("locale"):
        values["locale"] = _language(cells["locale"])
    if cells.get("zone"):
        values["zone"] = clean_zone(cells["zone"])
    if cells.get("technician"):
        values["technician_id"] = _technician(cells["technician"], staff)
    return values


def _language(text: str) -> str:
    found = _LANGUAGES.get(search_key(text))
    if found is None:
        raise InvalidInput("locale", "not_offered", offered=["es", "en"])
    return found


def _technician(text: str, staff: Mapping[str, int]) -> int:
    found = staff.get(text.casefold())
    if found is None:
        raise InvalidInput("technician", "no_such_technician")
    return found


def _contact(cells: Mapping[str, str]) -> dict[str, str]:
    if not any(cells.get(name) for name in ("name", "email", "phone")):
        return {}
    email = clean_email(cells.get("email", ""))
    name = clean_text("name", cells.get("name", ""), NAME_LENGTH) or email
    return {"name": name, "email": email, "phone": clean_text("phone", cells.get("phone", ""), 40)}


def _compare(session: Session, rows: list[Planned], zone: str) -> Iterator[Planned]:
    """The same rows with the fate that the customers in the store give them."""
    cifs = [row.cif for row in rows if row.problem is None]
    known = {row.cif: row for row in session.execute(select(*_KNOWN).where(Customer.cif.in_(cifs)))}
    joined = select(FormerCustomer.cif, Customer.cif).join(
        Customer, Customer.id == FormerCustomer.customer_id
    )
    rows_of_former = session.execute(joined.where(FormerCustomer.cif.in_(cifs)))
    merged = {former: cif for former, cif in rows_of_former}  # noqa: C416 - a Row is no tuple to the type checker
    people = _people(session, [row.id for row in known.values()])
    for row in rows:
        if row.problem is not None:
            yield row
        elif row.cif in merged:
            problem = InvalidInput("cif", "cif_merged", now=merged[row.cif])
            yield Planned(row.line, "refused", row.cif, row.company, problem=problem)
        elif row.cif in known:
            yield _against(row, known[row.cif], people)
        else:
            values = {"locale": "es", "zone": zone, "technician_id": None} | dict(row.values)
            yield Planned(row.line, "new", row.cif, row.company, values=values, contact=row.contact)


_KNOWN = (
    Customer.id,
    Customer.cif,
    Customer.company,
    Customer.locale,
    Customer.zone,
    Customer.technician_id,
)


def _people(session: Session, customer_ids: list[int]) -> dict[tuple[int, str], Any]:
    query = select(Contact.id, Contact.customer_id, Contact.name, Contact.email, Contact.phone)
    rows = session.execute(query.where(Contact.customer_id.in_(customer_ids)))
    return {(row.customer_id, row.email.casefold()): row for row in rows}


def _against(row: Planned, known: Any, people: Mapping[tuple[int, str], Any]) -> Planned:
    values = {name: value for name, value in row.values.items() if getattr(known, name) != value}
    contact, contact_id = dict(row.contact), None
    person = people.get((known.id, contact["email"].casefold())) if contact else None
    if person is not None:
        contact_id = person.id
        same = {"email": contact["email"], "phone": person.phone or ""} | (
            {"name": person.name} if contact["name"] == contact["email"] else {}
        )
        wanted = contact | {k: v for k, v in same.items() if k != "phone" or not contact["phone"]}
        contact = {k: v for k, v in wanted.items() if k != "email" and (getattr(person, k) or "") != v}
    fate = "changed" if values or contact else "unchanged"
    return Planned(row.line, fate, row.cif, row.company, known.id, values, contact_id, contact)


def _write_new(session: Session, now: datetime, rows: list[Planned]) -> None:
    if not rows:
        return
    values = [
        {**row.values, "created_at": now, "search_key": search_key(row.company, row.cif)} for row in rows
    ]
    statement = insert(Customer).returning(Customer.id, sort_by_parameter_order=True)
    ids = session.execute(statement, values).scalars().all()
    people = [{**row.contact, "customer_id": id_} for id_, row in zip(ids, rows, strict=True) if row.contact]
    if people:
        session.execute(insert(Contact), people)


def _write_changed(session: Session, row: Planned) -> None:
    if row.values:
        key = search_key(row.company, row.cif)
        values = {**row.values, "search_key": key}
        session.execute(update(Customer).where(Customer.id == row.customer_id).values(values))
    if row.contact_id is not None and row.contact:
        session.execute(update(Contact).where(Contact.id == row.contact_id).values(dict(row.contact)))
    elif row.contact:
        session.execute(insert(Contact), [{**row.contact, "customer_id": row.customer_id}])
