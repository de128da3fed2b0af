"""serve and worker: the long-running processes."""

import logging
import multiprocessing
import signal
import socket
import sys
import threading
from datetime import timedelta
from types import FrameType
from typing import Any

import click

from web.commands.console import PortBusy, desk_service, explained

log = logging.getLogger(__name__)


@click.command()
@click.option("--host", help="Address to listen on; default VENTANA_HOST or 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on; default VENTANA_PORT or 8480.")
@click.option(
    "--work/--no-work",
    default=None,
    help="Whether this process also runs due work. Default: yes on SQLite (one process there), no on PostgreSQL.",
)
def serve(host: str | None, port: int | None, work: bool | None) -> None:
    """Run the web pages (and, on SQLite, the work that is due)."""
    from scheduler.settings import read_settings

    settings = read_settings(
        **{name: value for name, value in (("host", host), ("port", port)) if value is not None}
    )
    run_server(settings, work=_is_sqlite(settings.store_url) if work is None else work)


@click.command()
@click.option(
    "--healthy", is_flag=True, help="Only say whether a worker of this host is alive: exit status 0 or 1."
)
def worker(healthy: bool) -> None:
    """Run checks, mails and other due work, without web pages. Several may run on PostgreSQL."""
    if healthy:
        with desk_service() as service:
            raise click.exceptions.Exit(0 if _beats_here(service) else 1)
    with desk_service(make_schema=True) as service:
        set_up_logging(service.settings.log_level)
        service.engine.start()
        click.echo("worker: running; Ctrl-C stops it", err=True)
        _wait_for_signal()
        click.echo("worker: finishing what runs …", err=True)


def _beats_here(service: Any) -> bool:
    """Whether a process of this host has written its heartbeat within the last minute."""
    from sqlalchemy import select

    from scheduler.store.engines import read
    from scheduler.store.models import Worker

    since = service.clock() - timedelta(minutes=1)
    with read(service.sessions) as session:
        alive = session.scalars(select(Worker.executor).where(Worker.seen_at > since)).all()
    return any(name.startswith(f"{socket.gethostname()}-") for name in alive)


def run_server(settings: Any, work: bool) -> None:
    """Serve until a signal comes. Raises PortBusy; exits with 3 when another part cannot work, having said which."""
    set_up_logging(settings.log_level)
    require_free(settings.host, settings.port)
    # Tried once before, so that what is wrong is said on this terminal and not by a dying server; and in a process of
    # its own, or the server's parent would hold the libraries' memory for nothing.
    trial = multiprocessing.get_context("fork").Process(target=_try_out, args=(settings, work))
    trial.start()
    trial.join()
    if trial.exitcode:
        raise click.exceptions.Exit(trial.exitcode)
    from web.server import Server

    Server(settings, work).run()


def _try_out(settings: Any, work: bool) -> None:
    sys.exit(explained(lambda: _open_once(settings, work)))


def _open_once(settings: Any, work: bool) -> None:
    """Make or update the tables and open every part. Raises StoreUnusable, EngineBusy and the like."""
    from scheduler.bootstrap import build
    from scheduler.engine.lock import lock_for

    service = build(settings, make_schema=True)
    try:
        lock = lock_for(service.database) if work else None
        if lock is not None:
            lock.release()
    finally:
        service.close()


def require_free(host: str, port: int) -> None:
    """Raises PortBusy when nobody could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise PortBusy(
                f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port or VENTANA_PORT"
            ) from None


def set_up_logging(level: str) -> None:
    """One line per event on standard error: no calendar secret in it, and no input can forge a line."""
    from web.log_lines import HideFeedSecrets, OneLine

    handler = logging.StreamHandler()
    handler.addFilter(HideFeedSecrets())
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("asyncssh", "alembic", "dbos"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _wait_for_signal() -> None:
    stop = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    stop.wait()
