"""Customers from a CSV file: the fate of each row, decided before anything is written.

Rows are read and compared in portions, so that a hundred thousand need hardly more memory than some.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.customers.csv_reading import CsvRow
from scheduler.customers.keeping import NAME_LENGTH, clean_email, clean_zone
from scheduler.identity.people import clean_cif
from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_text, search_key
from scheduler.store.models import Contact, Customer, FormerCustomer, Technician

FATES = ("new", "changed", "unchanged", "refused", "conflict")
"""A conflict is found at the writing: the customer is no longer as the preview showed it."""
PORTION = 200
"""Rows compared or written at a time: the store is held for some hundredths of a second."""
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
    before: Mapping[str, Any] = field(default_factory=dict)
    """What a changed customer has in those columns at the preview; anything else is not overwritten."""
    contact_id: int | None = None
    contact: Mapping[str, str] = field(default_factory=dict)
    """Columns of the contact to write; without `contact_id` a new person."""
    contact_before: Mapping[str, Any] = field(default_factory=dict)
    problem: InvalidInput | None = None


def counted(rows: Iterable[Planned]) -> dict[str, int]:
    """How many rows have which fate."""
    counts = dict.fromkeys(FATES, 0)
    for row in rows:
        counts[row.fate] += 1
    return counts


class RowReader:
    """Reads the rows of one file in their order; it remembers each CIF, since a second one is refused."""

    def __init__(self, session: Session) -> None:
        people = session.execute(select(Technician.email, Technician.id))
        self._staff = {email.casefold(): id_ for email, id_ in people}
        self._seen: dict[str, int] = {}

    def read(self, row: CsvRow) -> Planned:
        """The row's cells cleaned; refused where one cannot be taken."""
        cif, company = row.cells.get("cif", "")[:20], row.cells.get("company", "")[:NAME_LENGTH]
        try:
            values, contact = _values(row, self._staff), _contact(row.cells)
            self._refuse_twice(values["cif"], row.line)
        except InvalidInput as problem:
            return Planned(row.line, "refused", cif, company, problem=problem)
        return Planned(row.line, "new", values["cif"], values["company"], values=values, contact=contact)

    def _refuse_twice(self, cif: str, line: int) -> None:
        first = self._seen.setdefault(cif, line)
        if first != line:
            raise InvalidInput("cif", "cif_twice", line=first)


def portions(rows: Iterable[CsvRow]) -> Iterator[list[CsvRow]]:
    """The rows by PORTION."""
    source = iter(rows)
    while portion := list(islice(source, PORTION)):
        yield portion


def plan(session: Session, rows: Iterable[CsvRow], zone: str) -> Iterator[Planned]:
    """Each row's fate as the customers stand now. `zone` is that of new customers without one."""
    reader = RowReader(session)
    for portion in portions(rows):
        yield from compare(session, [reader.read(row) for row in portion], zone)


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


def compare(session: Session, rows: Sequence[Planned], zone: str) -> Iterator[Planned]:
    """The same rows with the fate that the customers in the store give them."""
    cifs = [row.cif for row in rows if row.problem is None]
    known = {row.cif: row for row in session.execute(select(*_KNOWN).where(Customer.cif.in_(cifs)))}
    merged = merged_into(session, cifs)
    people = people_of(session, [row.id for row in known.values()])
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


def merged_into(session: Session, cifs: Sequence[str]) -> dict[str, str]:
    """CIFs of merged customers with that of the one they were merged into."""
    joined = select(FormerCustomer.cif, Customer.cif).join(
        Customer, Customer.id == FormerCustomer.customer_id
    )
    rows = session.execute(joined.where(FormerCustomer.cif.in_(cifs)))
    return {former: cif for former, cif in rows}  # noqa: C416 - a Row is no tuple to the type checker


def people_of(session: Session, customer_ids: Sequence[int]) -> dict[tuple[int, str], Any]:
    """Contacts by customer and e-mail in small letters."""
    query = select(Contact.id, Contact.customer_id, Contact.name, Contact.email, Contact.phone)
    rows = session.execute(query.where(Contact.customer_id.in_(customer_ids)))
    return {(row.customer_id, row.email.casefold()): row for row in rows}


def _against(row: Planned, known: Any, people: Mapping[tuple[int, str], Any]) -> Planned:
    values = {name: value for name, value in row.values.items() if getattr(known, name) != value}
    person = people.get((known.id, row.contact["email"].casefold())) if row.contact else None
    contact = dict(row.contact) if person is None else _differing(row.contact, person)
    return Planned(
        row.line,
        "changed" if values or contact else "unchanged",
        row.cif,
        row.company,
        known.id,
        values,
        {name: getattr(known, name) for name in values},
        None if person is None else person.id,
        contact,
        {} if person is None else {name: getattr(person, name) for name in contact},
    )


def _differing(wanted: Mapping[str, str], person: Any) -> dict[str, str]:
    """Name and telephone where they differ; what the file leaves empty stays."""
    named = wanted["name"] != wanted["email"]
    found = {"name": wanted["name"] if named else person.name, "phone": wanted["phone"] or person.phone or ""}
    return {name: value for name, value in found.items() if (getattr(person, name) or "") != value}
