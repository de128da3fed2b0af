"""db copy: carry the desk from one database to another."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from web.commands.console import desk_service, emit, json_option, table


@click.group()
def db() -> None:
    """The database as a whole."""


@db.command()
@click.argument("source_url")
@click.argument("target_url")
@click.option(
    "--dry-run", is_flag=True, help="Look at both sides and say what would be copied; write nothing."
)
@json_option
def copy(source_url: str, target_url: str, dry_run: bool, as_json: bool) -> None:
    """Copy every table from SOURCE_URL to an empty TARGET_URL and prove the two equal.

    For instance: ventana db copy sqlite:///var/ventana.db postgresql://user:password@host/ventana

    Stop the processes of the desk first; afterwards set VENTANA_DATABASE_URL to the target and start them again. Keep
    VENTANA_FOLDER: its vault key opens the copied credentials. All or nothing is copied; work that is due is planned
    anew by the first worker.
    """
    from scheduler.operation.copying import copy_desk, plan_copy

    with _both(source_url, target_url) as (source, target):
        if dry_run:
            planned = plan_copy(source, target)
            emit(as_json, {"would_copy": planned}, lambda: _counts(planned, "would be copied"))
            return
        with desk_service(database_url=source_url) as service:
            key = service.installation.keys.audit
            made = copy_desk(source, target, service.vault, key, _tell)
        _prepare_engine(target_url)
    said = {"copied": made.tables, "credentials": made.credentials, "audit_entries": made.audit_entries}
    emit(as_json, said, lambda: _summary(made))


@contextmanager
def _both(source_url: str, target_url: str) -> Iterator[tuple[Any, Any]]:
    """Both databases open. Raises StoreUnusable, and EngineBusy while a process executes on a SQLite source."""
    from scheduler.engine.lock import lock_for
    from scheduler.store.engines import open_engine

    with ExitStack() as stack:
        source = open_engine(source_url)
        stack.callback(source.dispose)
        target = open_engine(target_url)
        stack.callback(target.dispose)
        if target.url == source.url:
            raise click.UsageError("source and target are the same database")
        lock = lock_for(source)
        if lock is not None:
            stack.callback(lock.release)
        yield source, target


def _prepare_engine(target_url: str) -> None:
    with desk_service(make_schema=True, database_url=target_url):
        """The engine's own tables and queues are made here, so that the first start finds them."""


def _tell(name: str, done: int, total: int) -> None:
    click.echo(f"{name}: {done} of {total}", err=True)


def _counts(tables: dict[str, int], what: str) -> str:
    rows = [[name, str(count)] for name, count in tables.items() if count]
    return "\n".join([table(rows, ["table", "rows"]), f"{sum(tables.values())} rows {what}"])


def _summary(made: Any) -> str:
    return (
        f"{made.rows} rows copied and equal on both sides; {made.credentials} credentials open; "
        f"the audit log of {made.audit_entries} entries is whole.\n"
        "Set VENTANA_DATABASE_URL to the target and start the processes again."
    )
