"""One portion of a plan written: what is still as the preview showed it, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.customers.importing import Planned, merged_into, people_of
from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import search_key
from scheduler.store.models import Contact, Customer, Technician

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def write_portion(session: Session, now: datetime, rows: Sequence[Planned]) -> list[Planned]:
    """Write the new and the changed ones inside the caller's transaction; each row with what became of it.

    A row whose customer changed since the preview becomes a conflict that names the column; nothing of it is written.
    """
    staff = set(session.scalars(select(Technician.id)))
    written = {row.line: row for row in _write_new(session, now, [r for r in rows if r.fate == "new"], staff)}
    changed = [row for row in rows if row.fate == "changed"]
    people = people_of(session, [row.customer_id for row in changed if row.customer_id is not None])
    for row in changed:
        written[row.line] = _write_changed(session, row, people, staff)
    return [written.get(row.line, row) for row in rows]


def _write_new(
    session: Session, now: datetime, rows: Sequence[Planned], staff: set[int]
) -> Iterator[Planned]:
    merged = merged_into(session, [row.cif for row in rows])
    wanted = [row for row in rows if row.cif not in merged and _has_technician(row, staff)]
    ids = _insert(session, now, wanted) if wanted else {}
    people = [{**row.contact, "customer_id": ids[row.cif]} for row in rows if row.contact and row.cif in ids]
    if people:
        session.execute(insert(Contact), people)
    for row in rows:
        if row.cif in ids:
            yield replace(row, customer_id=ids[row.cif])
        else:
            yield _conflict(row, "cif" if _has_technician(row, staff) else "technician")


def _insert(session: Session, now: datetime, rows: Sequence[Planned]) -> Mapping[str, int]:
    """CIF → new number; whoever came in meanwhile under the same CIF is not among them."""
    values = [
        {**row.values, "created_at": now, "search_key": search_key(row.company, row.cif)} for row in rows
    ]
    make: Any = _INSERTS[session.get_bind().dialect.name]
    statement = make(Customer).on_conflict_do_nothing(index_elements=["cif"])
    found = session.execute(statement.returning(Customer.cif, Customer.id), values)
    return {cif: id_ for cif, id_ in found}  # noqa: C416 - a Row is no tuple to the type checker


def _write_changed(
    session: Session, row: Planned, people: Mapping[tuple[int, str], Any], staff: set[int]
) -> Planned:
    stranger = row.contact_id is None and row.contact
    if stranger and (row.customer_id, row.contact["email"].casefold()) in people:
        return _conflict(row, "email")
    if not _has_technician(row, staff):
        return _conflict(row, "technician")
    with session.begin_nested() as step:
        column = _write_customer(session, row) or _write_contact(session, row)
        if column is not None:
            step.rollback()
            return _conflict(row, column)
    return row


def _write_customer(session: Session, row: Planned) -> str | None:
    """Write its columns if they are as they were; else which of them is not. Merged away, its CIF is not there."""
    as_before = [getattr(Customer, name).is_not_distinct_from(old) for name, old in row.before.items()]
    values = {**row.values, "search_key": search_key(row.company, row.cif)} if row.values else {}
    here = [Customer.id == row.customer_id, Customer.cif == row.cif, *as_before]
    if not values:
        return None if session.scalar(select(Customer.id).where(*here)) else "cif"
    done: Any = session.execute(_plain_update(Customer).where(*here).values(values))
    return None if done.rowcount else next(iter(row.before)).removesuffix("_id")


def _write_contact(session: Session, row: Planned) -> str | None:
    if not row.contact:
        return None
    if row.contact_id is None:
        session.execute(insert(Contact), [{**row.contact, "customer_id": row.customer_id}])
        return None
    as_before = [getattr(Contact, name).is_not_distinct_from(old) for name, old in row.contact_before.items()]
    here = [Contact.id == row.contact_id, Contact.customer_id == row.customer_id, *as_before]
    done: Any = session.execute(_plain_update(Contact).where(*here).values(dict(row.contact)))
    return None if done.rowcount else next(iter(row.contact))


def _plain_update(table: type[Any]) -> Any:
    return update(table).execution_options(synchronize_session=False)


def _has_technician(row: Planned, staff: set[int]) -> bool:
    technician = row.values.get("technician_id")
    return technician is None or technician in staff


def _conflict(row: Planned, column: str) -> Planned:
    problem = InvalidInput(column, "changed_since_preview")
    return Planned(row.line, "conflict", row.cif, row.company, row.customer_id, problem=problem)
