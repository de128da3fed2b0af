"""backup and restore: the whole database, taken while the desk works and proven when it comes back."""

from pathlib import Path
from typing import Any

import click

from web.commands.console import desk_service, emit, json_option, progress


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write the whole database to a new FILE, while everything goes on.

    The keys (vault.key and secret.key in VENTANA_FOLDER) are not in it: keep them elsewhere, and keep them, since
    without them the credentials in every backup stay closed.
    """
    from scheduler.operation.backups import back_up

    with desk_service() as service, progress("backing up"):
        size = back_up(service.database, file)
    emit(as_json, {"file": str(file), "bytes": size}, lambda: f"{file}: {size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--to", "target_url", help="Database to fill; it must be empty. Default: the one of the settings."
)
@click.option("--verify", is_flag=True, help="Then prove it: pages, guards, every credential, the audit log.")
@json_option
def restore(file: Path, target_url: str | None, verify: bool, as_json: bool) -> None:
    """Fill an empty database from a backup FILE. Nothing that exists is overwritten."""
    from scheduler.operation import backups
    from scheduler.settings import read_settings

    url = target_url or read_settings().store_url
    with progress("restoring"):
        backups.restore(file, url)
    found = _prove(url) if verify else None
    said = {
        "restored": str(file),
        "verified": found and {name: getattr(found, name) for name in found.__slots__},
    }
    emit(as_json, said, lambda: _summary(file, found))


def _prove(url: str) -> Any:
    from scheduler.operation.backups import verify

    with progress("verifying"), desk_service(make_schema=True, database_url=url) as service:
        return verify(service.database, service.vault, service.installation.keys.audit)


def _summary(file: Path, found: Any) -> str:
    if found is None:
        return f"{file} is restored; prove it with --verify next time"
    return (
        f"{file} is restored and whole: {found.bookings} bookings, {found.credentials} credentials open, "
        f"{found.audit_entries} audit entries, the last of {found.last_change}"
    )
