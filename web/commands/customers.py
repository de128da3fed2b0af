"""customers import: many customers from one CSV file."""

import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import click

from scheduler.actor import SYSTEM
from scheduler.customers import importing, previews
from scheduler.customers.csv_reading import rows
from scheduler.customers.import_runs import Importer
from scheduler.customers.importing import Planned, counted
from scheduler.store.engines import read, write
from web.commands.console import desk_service, emit, json_option

SHOWN_REFUSALS = 50


@click.group()
def customers() -> None:
    """Customers of the desk."""


@customers.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@json_option
def import_file(file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring customers in from a CSV file while the desk goes on; importing it again changes nothing.

    Columns: company and CIF; if there are, contact, e-mail, telephone, language, time zone, technician (e-mail).
    Rows that cannot be taken are named and left out. Interrupted, it is finished by the running service, or by the
    same command again.
    """
    kept = previews.Upload(file.name, file.read_bytes())
    with desk_service() as service:
        done = list(_dry(service, kept) if dry_run else _imported(service, kept))
    left_out = [row for row in done if row.problem is not None]
    said = [{"line": each.line, "cif": each.cif, "why": str(each.problem)} for each in left_out]
    counts = counted(done)
    document = {"dry_run": dry_run, **counts, "refusals": said[:SHOWN_REFUSALS]}
    emit(as_json, document, lambda: _text(counts, left_out[:SHOWN_REFUSALS], dry_run))


def _dry(service: Any, kept: previews.Upload) -> list[Planned]:
    tell, found = Teller(), list[Planned]()
    with read(service.sessions) as session:
        plan = importing.plan(session, rows(kept.text), service.desk(session).zone.key)
        while portion := list(islice(plan, importing.PORTION)):
            found += portion
            tell("planning", len(found), kept.total_rows)
    return found


def _imported(service: Any, kept: previews.Upload) -> list[Planned]:
    """Planned and written by this process; whoever else is at it does other portions."""
    importer = Importer(service.sessions, service.clock, service.installation, Teller())
    with write(service.sessions) as session:
        import_id = previews.keep(session, service.clock(), SYSTEM, kept, engine=False).id
    importer.finish(import_id)
    with write(service.sessions) as session:
        desk = service.desk(session)
        previews.confirm(session, desk, service.clock(), SYSTEM, import_id, engine=False)
    importer.finish(import_id)
    with read(service.sessions) as session:
        return list(previews.planned(session, import_id))


class Teller:
    """Says on standard error how far it is: once a second, and nothing of what is over before."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, state: str, done: int, total: int) -> None:
        """Told after each portion."""
        if time.monotonic() - self._said >= 1.0:
            self._said = time.monotonic()
            end = "\r" if sys.stderr.isatty() else "\n"
            click.echo(f"{state}: {done:,} of {total:,} rows{end}", err=True, nl=False)


def _text(counts: dict[str, int], left_out: list[Planned], dry_run: bool) -> str:
    told = ", ".join(f"{count} {fate}" for fate, count in counts.items())
    lines = [f"line {each.line}: {each.cif}: {each.problem}" for each in left_out]
    return "\n".join([*lines, f"{told}{' (nothing was written)' if dry_run else ''}"])
