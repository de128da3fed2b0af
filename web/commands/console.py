"""What all commands share: opening the desk, printing as text or JSON, progress, and errors with exit codes."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import click

REFUSED = 1
UNUSABLE = 3
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def guarded(command: click.Command) -> int:
    """Run the command line; every expected trouble becomes one message and an exit code, never a traceback."""
    return explained(lambda: command.main(prog_name="ventana", standalone_mode=False))


def explained(act: Callable[[], Any]) -> int:
    """Do it and return the exit code; what may go wrong is said on standard error."""
    from scheduler.rules.refusals import Refusal

    try:
        result = act()
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        return _say("Interrupted.", 130)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as request:
        return request.exit_code
    except Refusal as refusal:
        return _say(_refusal_text(refusal), REFUSED)
    except _unusable() as error:
        return _say(f"ventana: {_unusable_text(error)}", UNUSABLE)


def _unusable() -> tuple[type[Exception], ...]:
    # What may be wrong with an installation; each message names the thing and the remedy.
    from scheduler.engine import EngineBusy
    from scheduler.operation.backups import BackupFailed
    from scheduler.operation.copying import CopyRefused
    from scheduler.operation.loading import LoadingRefused
    from scheduler.secrets_file import SecretFileUnusable
    from scheduler.settings import SettingsInvalid
    from scheduler.store.trouble import StoreUnusable
    from scheduler.store.vault import VaultError

    return (
        BackupFailed,
        CopyRefused,
        EngineBusy,
        LoadingRefused,
        SecretFileUnusable,
        SettingsInvalid,
        StoreUnusable,
        VaultError,
        PortBusy,
    )


class PortBusy(Exception):
    """The address to listen on is taken or not ours."""


def _say(text: str, code: int) -> int:
    click.echo(text, err=True)
    return code


def language() -> str:
    """Say es or en, by the terminal's language settings."""
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "es" if wanted.lower().startswith("es") else "en"


def _unusable_text(error: Exception) -> str:
    """In the terminal's language where the error knows it."""
    from scheduler.store.trouble import StoreUnusable

    if isinstance(error, StoreUnusable):
        return error.message("es" if language() == "es" else "en")
    return str(error)


NAMES = {
    "access_point": {"es": "No hay ningún acceso así.", "en": "There is no such access point."},
    "booking": {
        "es": "No hay ninguna reserva con ese número.",
        "en": "There is no booking with that number.",
    },
    "customer": {"es": "No hay ningún cliente con ese CIF.", "en": "There is no customer with that CIF."},
    "desk": {
        "es": "Todavía no hay ningún servicio cargado. Ejecute: ventana load FICHERO.toml, o ventana demo.",
        "en": "No desk has been loaded yet. Run: ventana load FILE.toml, or ventana demo.",
    },
    "entitlement": {
        "es": "No hay ningún derecho con ese número.",
        "en": "There is no entitlement with that number.",
    },
    "feed": {
        "es": "No hay ningún calendario con ese número.",
        "en": "There is no calendar with that number.",
    },
    "technician": {
        "es": "No hay ningún técnico con ese correo.",
        "en": "There is no technician with that e-mail.",
    },
}
"""What was not found, as one says it at a terminal; the pages' words speak of addresses and links."""


def _refusal_text(refusal: Any) -> str:
    if refusal.code == "not_found" and refusal.facts.get("what") in NAMES:
        return f"{NAMES[refusal.facts['what']][language()]}\n[not_found]"
    from flask import Flask, g
    from flask_babel import force_locale

    from web import i18n
    from web.errors import message

    app = Flask("web")
    app.extensions["ventana.desk"] = lambda: None
    i18n.speak(app)
    with app.test_request_context(), force_locale(language()):
        g.failing = True  # there is nobody at a browser, so nobody is looked up
        said = message(refusal)
    lines = [
        said.title,
        said.text,
        said.remedy,
        f"[{refusal.code}{f': {refusal.field}' if refusal.field else ''}]",
    ]
    return "\n".join(str(line) for line in lines if line)


@contextmanager
def desk_service(make_schema: bool = False, **overrides: Any) -> Iterator[Any]:
    """The service of this installation, closed at the end; nothing of it executes in this process."""
    from scheduler.bootstrap import build
    from scheduler.settings import read_settings

    service = build(read_settings(**overrides), make_schema=make_schema)
    try:
        yield service
    finally:
        service.close()


def emit(as_json: bool, document: Any, text: Callable[[], str]) -> None:
    """Print a result as JSON for programs or as text for people."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain) if as_json else text())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    raise TypeError(f"{type(value).__name__} has no JSON form")


@contextmanager
def progress(what: str, after_seconds: float = 1.0) -> Iterator[None]:
    """Say on standard error what is going on, if it takes longer than a second."""
    done = threading.Event()

    def tell() -> None:
        if done.wait(after_seconds):
            return
        click.echo(f"{what} …", err=True, nl=False)
        while not done.wait(1.0):
            click.echo(".", err=True, nl=False)
        click.echo("", err=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def table(rows: list[list[str]], header: list[str]) -> str:
    """Columns aligned for a terminal."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    ]
    return "\n".join(lines)


def interactive() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty()
