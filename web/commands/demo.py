"""demo: the whole product on one machine, with a fictional desk and its customers' PBXs, in a folder of its own."""

import os
import shutil
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from web.commands.console import progress

MARK = "demo-desk"
"""A file that says the folder is a demo's: only such a folder is ever deleted by --fresh."""


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its data; default demo-data beside the program.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the pages; default 8480 or the next free one."
)
@click.option("--fresh", is_flag=True, help="Throw the earlier demo away and start anew.")
def demo(folder: Path | None, port: int | None, fresh: bool) -> None:
    """Show the whole product: a fictional desk, its customers' PBXs, everything running. Ctrl-C stops it all."""
    from fixtures.demo_pbxs import DemoPbxs
    from scheduler.settings import read_settings
    from web.commands.serving import require_free, run_server, set_up_logging

    set_up_logging("WARNING")
    home = (folder or default_folder()).absolute()
    prepare_folder(home, fresh)
    if port is not None:
        require_free("127.0.0.1", port)
    chosen = port or _free_port()
    pbxs = DemoPbxs(home / "pbxs")
    settings = read_settings(
        folder=home,
        database_url="",
        base_url=f"http://127.0.0.1:{chosen}/",
        host="127.0.0.1",
        port=chosen,
        loopback_ports=tuple(f"127.0.0.1:{number}" for number in pbxs.ports.values()),
        mail_page=True,
        smtp_host="",
        log_level="WARNING",
    )
    try:
        with progress("preparing the demo desk"):
            told = prepare(settings, pbxs)
        click.echo(told)
        run_server(settings, work=True)
    finally:
        pbxs.stop()


def default_folder() -> Path:
    """demo-data beside the program, or in the home folder where the program's own cannot be written."""
    beside = Path(__file__).resolve().parents[2]
    return (
        beside / "demo-data"
        if os.access(beside, os.W_OK)
        else Path.home() / ".local" / "share" / "ventana-demo"
    )


def prepare_folder(home: Path, fresh: bool) -> None:
    """Make the folder; with `fresh` empty it first. Raises click.UsageError for a folder that is not a demo's."""
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise click.UsageError(f"{home} holds something else; choose an empty folder with --folder")
    if fresh and home.exists():
        shutil.rmtree(home)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / MARK).touch()
    except OSError as error:
        raise click.UsageError(f"{home}: {error.strerror}; choose another with --folder") from None


def prepare(settings: Any, pbxs: Any) -> str:
    """Load the desk, start its PBXs, fill the agenda once; returns what to tell the person."""
    from fixtures.demo_bookings import Seed
    from scheduler.bootstrap import build
    from scheduler.store.engines import write

    service = build(settings, make_schema=True)
    try:
        now = service.clock()
        with write(service.sessions) as session:
            desk = _load(session, service, pbxs, now)
            _point_doors(session, pbxs)
            keys = _our_keys(session)
        pbxs.start(keys)
        with write(service.sessions) as session:
            _confirm_identities(session, pbxs, now)
            Seed(session, desk, now).fill_or_continue()
            return _tell(session, service, pbxs)
    finally:
        service.close()


def _load(session: Session, service: Any, pbxs: Any, now: datetime) -> Any:
    from fixtures.demo_desk import desk_document
    from scheduler.operation.loading import DeskFile, load

    document = desk_document(now.date(), pbxs.ports, pbxs.doors())
    return load(session, service.installation, service.vault, now, DeskFile.model_validate(document))


def _point_doors(session: Session, pbxs: Any) -> None:
    """A second demo may have had to take other ports: the doors follow their PBX."""
    from fixtures.demo_desk import CUSTOMERS
    from scheduler.store.models import AccessPoint, Customer, System

    names = {cif: pbx for _, cif, _, _, _, _, pbx, _ in CUSTOMERS}
    rows = session.execute(
        select(AccessPoint, Customer.cif).join(System, AccessPoint.system_id == System.id).join(Customer)
    )
    for point, cif in rows:
        if cif in names and point.host == "127.0.0.1":
            point.port = pbxs.ports[names[cif]]


def _our_keys(session: Session) -> list[str]:
    from scheduler.store.models import CustomerKey

    return list(session.scalars(select(CustomerKey.public_key)))


def _confirm_identities(session: Session, pbxs: Any, now: datetime) -> None:
    """The demo's customers have confirmed their PBXs' identities before, but for one, to show how that is asked."""
    from fixtures.demo_desk import UNCONFIRMED_CIF
    from scheduler.checks.pins import confirm_line
    from scheduler.store.models import AccessPoint, Customer, System

    by_port = {pbxs.ports[name]: line for name, line in pbxs.identities().items()}
    rows = session.execute(
        select(AccessPoint, Customer.cif).join(System, AccessPoint.system_id == System.id).join(Customer)
    )
    for point, cif in rows:
        if point.port in by_port and cif != UNCONFIRMED_CIF:
            confirm_line(session, point, by_port[point.port], "demo", now)


def _tell(session: Session, service: Any, pbxs: Any) -> str:
    from fixtures.demo_desk import CUSTOMERS, MARTA, PASSWORD
    from scheduler.calendars import secrets
    from scheduler.store.models import Technician

    base = service.settings.link_base
    marta = session.scalars(select(Technician).where(Technician.email == MARTA)).one()
    now = service.clock()
    feeds = secrets.feeds_of(session, service.feed_key, base, marta.id)
    if not feeds:
        for scope in ("interventions", "slots"):
            secrets.create_feed(session, service.feed_key, marta.id, scope, now)
        feeds = secrets.feeds_of(session, service.feed_key, base, marta.id)
    healthy, rejecting, closed = CUSTOMERS[1], CUSTOMERS[3], CUSTOMERS[7]
    kind = "real sshd" if pbxs.real_sshd else "built-in SSH servers (no sshd on this machine)"
    lines = [
        "",
        f"Ventana demo · PBXs on loopback: {kind}",
        "",
        f"  Customer      {base}/book",
        f"    PBX that works              {healthy[0]}  {healthy[1]}",
        f"    PBX refusing our key        {rejecting[0]}  {rejecting[1]}",
        f"    PBX with a closed port      {closed[0]}  {closed[1]}",
        *_threecx_lines(pbxs.threecx),
        f"    the sign-in code arrives at  {base}/mail",
        f"  Technician    {base}/agenda   {MARTA} / {PASSWORD}",
        *[f"  Calendar      {feed.url}   ({feed.scope})" for feed in feeds],
        "",
        "One session starts in half an hour: its automatic check runs within the first minute.",
        "Ctrl-C stops everything; the data stays for the next time (--fresh starts anew).",
        "",
    ]
    return "\n".join(lines)


def _threecx_lines(threecx: Any) -> list[str]:
    """The 3CX with their companies, and what is not installed with the package that brings it."""
    from fixtures.demo_desk import CUSTOMERS
    from fixtures.demo_threecx import SHOWN

    companies = {row[6]: f"{row[0]}  {row[1]}" for row in CUSTOMERS}
    here = [f"    {SHOWN[name]:26}  {companies[name]}" for name in threecx.here]
    return here + [f"    without {shown}: {reason}" for shown, reason in threecx.missing.items()]


def _free_port() -> int:
    for port in range(8480, 8580):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise click.UsageError("no free port between 8480 and 8579; choose one with --port")
