"""customers import: many customers from one CSV file."""

from pathlib import Path

import click

from scheduler.actor import SYSTEM
from scheduler.customers import importing
from scheduler.customers.csv_reading import decode, rows
from scheduler.customers.importing import Planned, Tally
from scheduler.store.engines import read, write
from web.commands.console import desk_service, emit, json_option, progress

SHOWN_REFUSALS = 50


@click.group()
def customers() -> None:
    """Customers of the desk."""


@customers.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@json_option
def import_file(file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring customers in from a CSV file, in one transaction; importing it again changes nothing.

    Columns: company and CIF; if there are, contact, e-mail, telephone, language, time zone, technician (e-mail).
    Rows that cannot be taken are named and left out.
    """
    text, refused = decode(file.read_bytes()), list[Planned]()
    with desk_service() as service, progress("importing"):
        opened = read if dry_run else write
        with opened(service.sessions) as session:
            desk = service.desk(session)
            plan = (_keep(each, refused) for each in importing.plan(session, rows(text), desk.zone.key))
            if dry_run:
                tally = Tally()
                for each in plan:
                    tally.take(each)
            else:
                tally = importing.write(session, desk, service.clock(), SYSTEM, plan)
    said = [{"line": each.line, "cif": each.cif, "why": str(each.problem)} for each in refused]
    document = {"dry_run": dry_run, **tally.counts, "refusals": said}
    emit(as_json, document, lambda: _text(tally, refused, dry_run))


def _keep(row: Planned, refused: list[Planned]) -> Planned:
    if row.problem is not None and len(refused) < SHOWN_REFUSALS:
        refused.append(row)
    return row


def _text(tally: Tally, refused: list[Planned], dry_run: bool) -> str:
    counted = ", ".join(f"{count} {fate}" for fate, count in tally.counts.items())
    lines = [f"line {each.line}: {each.cif}: {each.problem}" for each in refused]
    return "\n".join([*lines, f"{counted}{' (nothing was written)' if dry_run else ''}"])
