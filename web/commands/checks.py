"""checks list|run: the access checks, from the command line."""

import time
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.checks import planning
from scheduler.checks.explaining import explain
from scheduler.store.engines import read, write
from scheduler.store.models import Check, Worker
from web.commands.booking import CONSOLE
from web.commands.console import desk_service, emit, json_option, language, progress, table

WAIT_SECONDS = 60
ALIVE = timedelta(seconds=15)
EXIT_BY_VERDICT = {"ready": 0, "at_risk": 0, "not_ready": 1, "unknown": 1}


@click.group()
def checks() -> None:
    """List the access checks, or run one now."""


@checks.command("list")
@click.option("--booking", "booking_id", type=int, help="Only those of one booking.")
@click.option("--state", type=click.Choice(["planned", "running", "done", "dropped"]))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
def list_checks(booking_id: int | None, state: str | None, limit: int, as_json: bool) -> None:
    """The newest checks first."""
    query = select(Check).order_by(Check.due_at.desc(), Check.id.desc()).limit(limit)
    if booking_id is not None:
        query = query.where(Check.booking_id == booking_id)
    if state is not None:
        query = query.where(Check.state == state)
    with desk_service() as service, read(service.sessions) as session:
        rows = [_document(check) for check in session.scalars(query)]
    emit(as_json, {"checks": rows}, lambda: _table(rows))


@checks.command("run")
@click.argument("booking_id", type=int)
@json_option
def run_check(booking_id: int, as_json: bool) -> None:
    """Test a booking's access now. Exit status 0: we can get in; 1: we cannot, or it is not known."""
    with desk_service() as service:
        with write(service.sessions) as session:
            booking = bookings.visible(session, CONSOLE, booking_id)
            check = planning.ask(session, service.clock(), CONSOLE, booking.access_point, booking)
            key = (check.id, check.rev)
        with progress("testing the access"):
            _finish(service, *key)
        with read(service.sessions) as session:
            done = session.get_one(Check, key[0])
            steps = explain(session, done, service.desk(session), language())
            document = _document(done) | {"steps": [_step(step) for step in steps]}
    emit(as_json, document, lambda: _steps_text(document))
    raise click.exceptions.Exit(EXIT_BY_VERDICT[document["verdict"]])


def _finish(service: Any, check_id: int, rev: int) -> None:
    """Let the live worker run it; without one, run it here."""
    if not _worker_alive(service):
        service.run_check(check_id, rev)
        return
    for _ in range(WAIT_SECONDS * 4):
        with read(service.sessions) as session:
            if session.get_one(Check, check_id).state in ("done", "dropped"):
                return
        time.sleep(0.25)


def _worker_alive(service: Any) -> bool:
    with read(service.sessions) as session:
        since = service.clock() - ALIVE
        return _newest_worker(session, since)


def _newest_worker(session: Session, since: Any) -> bool:
    return session.scalar(select(Worker.executor).where(Worker.seen_at > since).limit(1)) is not None


def _document(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "booking": check.booking_id,
        "stage": check.stage,
        "due_at": check.due_at,
        "state": check.state,
        "verdict": check.verdict,
        "code": check.code,
        "finished_at": check.finished_at,
        "target": f"{check.access_point.method} {check.access_point.host}:{check.access_point.port}",
    }


def _step(step: Any) -> dict[str, Any]:
    remedy = step.remedy
    advice = remedy and {"title": remedy.title, "text": remedy.text, "copy": remedy.copyable}
    return {
        "name": step.name,
        "state": step.state,
        "evidence": step.evidence,
        "ms": step.ms,
        "code": step.code,
        "remedy": advice,
    }


def _table(rows: list[dict[str, Any]]) -> str:
    header = ["id", "booking", "stage", "due (UTC)", "state", "verdict", "code", "target"]
    cells = [
        [
            str(row["id"]),
            str(row["booking"] or "-"),
            row["stage"],
            f"{row['due_at']:%Y-%m-%d %H:%M}",
            row["state"],
            row["verdict"],
            row["code"] or "-",
            row["target"],
        ]
        for row in rows
    ]
    return table(cells, header) if cells else "no checks"


def _steps_text(document: dict[str, Any]) -> str:
    marks = {"ok": "✔", "warn": "▲", "fail": "✖", "skip": "·", "wait": "…", "run": "◌"}
    lines = [f"{document['target']}: {document['verdict']} {document['code'] or ''}".rstrip()]
    for step in document["steps"]:
        lines.append(f"  {marks[step['state']]} {step['name']:<10} {step['evidence']}".rstrip())
        if step["remedy"]:
            lines += [f"      {step['remedy']['title']}. {step['remedy']['text']}"]
            lines += [f"      {step['remedy']['copy']}"] if step["remedy"]["copy"] else []
    return "\n".join(lines)
