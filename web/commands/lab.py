"""lab: real servers on this machine to try `ventana probe` on, and the table of what each is reported as."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from web.commands.console import REFUSED, UNUSABLE, emit, json_option, language, progress

STARTING_SECONDS = 300.0
WORDS = {
    "es": {
        "up": "{count} servidores en marcha en 127.0.0.1; datos y claves de prueba en {folder}",
        "already": "El laboratorio ya está en marcha. Para detenerlo: ventana lab down",
        "down": "Detenido: {count} procesos.",
        "not_up": "El laboratorio no está en marcha. Para ponerlo: ventana lab up",
        "missing": "No se pueden poner en marcha:",
        "credential": "usuario {username}, contraseña {password}",
        "key": "usuario {username}, clave {key_file}",
        "unknown": "En el laboratorio no hay nada que se llame {name!r}. Los nombres: ventana lab list",
        "failed": "El laboratorio no se puso en marcha; lo que dijo está en {log}",
        "can_run": "Pueden ponerse en marcha con «ventana lab up [NOMBRE…]»:",
        "starting": "poniendo en marcha los servidores",
        "trying": "probando cada servidor en cada situación",
    },
    "en": {
        "up": "{count} servers up on 127.0.0.1; test data and keys in {folder}",
        "already": "The lab is up already. To stop it: ventana lab down",
        "down": "Stopped: {count} processes.",
        "not_up": "The lab is not up. To start it: ventana lab up",
        "missing": "Cannot run here:",
        "credential": "user {username}, password {password}",
        "key": "user {username}, key {key_file}",
        "unknown": "Nothing in the lab is called {name!r}. The names: ventana lab list",
        "failed": "The lab did not start; what it said is in {log}",
        "can_run": "Can be started with `ventana lab up [NAME…]`:",
        "starting": "starting the servers",
        "trying": "trying each server in each situation",
    },
}
folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the lab keeps its keys and logs; default lab-data beside the program.",
)


def say(word: str, **facts: Any) -> str:
    """A sentence in the terminal's language."""
    return WORDS[language()][word].format(**facts)


def home_of(folder: Path | None) -> Path:
    """lab-data beside the program, or in the home folder where the program's own cannot be written."""
    if folder is not None:
        return folder.absolute()
    beside = Path(__file__).resolve().parents[2]
    return beside / "lab-data" if os.access(beside, os.W_OK) else Path.home() / ".local/share/ventana-lab"


@click.group()
def lab() -> None:
    """Real servers on this machine to try `ventana probe` on: SSH, RDP, VNC, web, and far ends that misbehave.

    NAME is a server, a method (ssh, rdp, vnc, web) or a pattern such as '3cx-*'; all without any.
    """


@lab.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@folder_option
@click.option("--foreground", is_flag=True, help="Stay here until Ctrl-C, as a container's command does.")
@click.option(
    "--publish",
    metavar="ADDRESS",
    help="Let other machines reach the servers at this address or name of ours.",
)
@json_option
def up(
    names: tuple[str, ...], folder: Path | None, foreground: bool, publish: str | None, as_json: bool
) -> int:
    """Start the servers and print, for each, its credential and the command to try it."""
    from fixtures.lab.keeper import keep, launch, lives, state_of

    home, entries = home_of(folder), wanted(names)
    state = state_of(home)
    if state is not None and lives(state["keeper"]):
        click.echo(say("already"), err=True)
        return REFUSED
    if foreground:
        home.mkdir(parents=True, exist_ok=True)
        keep(home, entries, publish, lambda servers: emit(as_json, servers, lambda: told(servers, home)))
        return 0
    keeper = launch(home, [entry.name for entry in entries], publish)
    with progress(say("starting")):
        state = until_ready(home, keeper)
    if state is None:
        click.echo(say("failed", log=home / "keeper.log"), err=True)
        return UNUSABLE
    emit(as_json, state["servers"], lambda: told(state["servers"], home))
    return 0


def until_ready(home: Path, keeper: Any) -> dict[str, Any] | None:
    """The lab's state once all its servers have started; None when the keeper has ended instead."""
    from fixtures.lab.keeper import state_of

    ends = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < ends and keeper.poll() is None:
        state = state_of(home)
        if state is not None and state["ready"] and state["keeper"][0] == keeper.pid:
            return state
        time.sleep(0.1)
    return None


def wanted(names: Sequence[str]) -> list[Any]:
    """The entries of these names, for people."""
    from fixtures.lab.catalogue import UnknownName, chosen

    try:
        return [entry for entry in chosen(names) if entry.for_people]
    except UnknownName as error:
        raise click.UsageError(say("unknown", name=str(error))) from None


def told(servers: list[dict[str, Any]], home: Path) -> str:
    """Each server with what it shows, its credential and its command; what is missing last."""
    running = [server for server in servers if "port" in server]
    lines = [say("up", count=len(running), folder=home), ""]
    for server in running:
        lines += [f"{server['name']}  ({server['method']}, {server['port']})  {server['shows'][language()]}"]
        if (credential := credential_of(server)) is not None:
            lines += [f"    {credential}"]
        lines += [f"    {server['command']}", ""]
    return "\n".join([*lines, *not_here(servers)])


def credential_of(server: dict[str, Any]) -> str | None:
    """User and password or key, in words; None where nobody logs in."""
    if server["key_file"]:
        return say("key", **server)
    if server["password"]:
        return say("credential", username=server["username"] or "-", password=server["password"])
    return None


def not_here(servers: list[dict[str, Any]]) -> list[str]:
    """What cannot run, and which Debian package brings it."""
    rows = [f"    {server['name']}: {server['missing']}" for server in servers if server.get("missing")]
    return [say("missing"), *rows] if rows else []


@lab.command()
@folder_option
@json_option
def down(folder: Path | None, as_json: bool) -> int:
    """Stop exactly what `lab up` started, also after its keeper was killed."""
    from fixtures.lab.keeper import state_of, take_down

    home = home_of(folder)
    if state_of(home) is None:
        emit(as_json, {"stopped": 0}, lambda: say("not_up"))
        return 0
    count = take_down(home)
    emit(as_json, {"stopped": count}, lambda: say("down", count=count))
    return 0


@lab.command("list")
@folder_option
@json_option
def list_servers(folder: Path | None, as_json: bool) -> int:
    """What runs with its commands; before `lab up`, what could run and which package is missing for the rest."""
    from fixtures.lab.keeper import lives, state_of

    home = home_of(folder)
    state = state_of(home)
    if state is not None and lives(state["keeper"]):
        emit(as_json, state["servers"], lambda: told(state["servers"], home))
        return 0
    servers = [offered(entry) for entry in wanted(())]
    emit(as_json, servers, lambda: "\n".join([say("not_up"), "", say("can_run"), *could_run(servers)]))
    return 0


def offered(entry: Any) -> dict[str, Any]:
    """A server that is not running."""
    shows = {"es": entry.shows[0], "en": entry.shows[1]}
    return {"name": entry.name, "method": entry.method, "shows": shows, "missing": entry.missing()}


def could_run(servers: list[dict[str, Any]]) -> list[str]:
    """A line for each that can run, and those that cannot."""
    able = [server for server in servers if not server["missing"]]
    width = max((len(server["name"]) for server in able), default=0)
    rows = [f"    {server['name']:{width}}  {server['shows'][language()]}" for server in able]
    return [*rows, "", *not_here(servers)]


@lab.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
def matrix(names: tuple[str, ...], as_json: bool) -> int:
    """Try every server in every situation and print what each is reported as; an independent client confirms.

    Exit status 1 when a report is not what it must be.
    """
    from fixtures.lab.catalogue import UnknownName, chosen
    from fixtures.lab.matrix import run_matrix, text_of

    try:
        entries = chosen(names)
    except UnknownName as error:
        raise click.UsageError(say("unknown", name=str(error))) from None
    with progress(say("trying")):
        rows = run_matrix(entries)
    emit(as_json, [row.as_dict() for row in rows], lambda: text_of(rows))
    return REFUSED if any(row.wrong for row in rows) else 0
