"""A check watched live: server-sent events with the steps as they end (HTML Living Standard §9.2).

Each open stream holds a web thread, so at most half of the threads may hold one; who comes later gets the state as it
is and comes back for the next by itself, which is polling by the same address.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, render_template, stream_with_context
from flask.blueprints import BlueprintSetupState
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.store.engines import read
from scheduler.store.models import Check, CheckStep
from web.i18n import language

LOOK_EVERY = 0.3
PING_EVERY = 5.0
LONGEST = 60.0
"""Seconds between looks at the rows, between signs of life, and until a stream ends and is opened anew."""
COME_BACK = 2000
"""Milliseconds after which a browser that found no free stream asks again."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A check as the page shows it, and whether nothing more will come."""

    view: dict[str, Any]
    over: bool


def prepare_streams(state: BlueprintSetupState) -> None:
    """Count this application's streams: half of its threads."""
    threads = state.app.extensions["ventana"].settings.threads
    state.app.extensions.setdefault("ventana.streams", threading.BoundedSemaphore(max(1, threads // 2)))


def stream(check_id: int, draw: Callable[[Session, DeskContext], Drawn]) -> Response:
    """The event stream of one check. Drawn once before it starts, so that a refusal still is a page."""
    sessions, desk_of = current_app.extensions["ventana"].sessions, current_app.extensions["ventana"].desk
    with read(sessions) as session:
        draw(session, desk_of(session))
    free: threading.BoundedSemaphore = current_app.extensions["ventana.streams"]
    mine = free.acquire(blocking=False)
    # The generator runs outside the request's language choice: it is made here and kept.
    events = _events(check_id, draw, language(), LONGEST if mine else 0.0)
    response = Response(stream_with_context(events), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    if mine:
        # Not in the generator: one that was never begun does not run its "finally".
        response.call_on_close(free.release)
    return response


def _events(
    check_id: int, draw: Callable[[Session, DeskContext], Drawn], locale: str, longest: float
) -> Iterator[str]:
    service = current_app.extensions["ventana"]
    sent: dict[str, str] = {}
    seen, ends_at, ping_at = None, time.monotonic() + longest, time.monotonic() + PING_EVERY
    while True:
        with read(service.sessions) as session:
            signature = _signature(session, check_id)
            drawn = draw(session, service.desk(session)) if signature != seen else None
        if drawn is not None:
            seen = signature
            with force_locale(locale):
                yield from _changes(drawn.view, sent)
            if drawn.over:
                with force_locale(locale):
                    yield _event(render_template("_verdict_patch.html", check=drawn.view))
                yield "event: end\ndata: .\n\n"
                return
        if time.monotonic() >= ends_at:
            yield f"retry: {COME_BACK}\nevent: again\ndata: .\n\n"
            return
        if time.monotonic() >= ping_at:
            yield ": still here\n\n"
            ping_at = time.monotonic() + PING_EVERY
        time.sleep(LOOK_EVERY)


def _signature(session: Session, check_id: int) -> tuple[str | None, int]:
    """What changes when there is something new to draw; two light reads instead of a drawing every 300 ms."""
    state = session.scalar(select(Check.state).where(Check.id == check_id))
    count = session.scalar(select(func.count()).select_from(CheckStep).where(CheckStep.check_id == check_id))
    return state, count or 0


def _changes(view: dict[str, Any], sent: dict[str, str]) -> Iterator[str]:
    for step in view["steps"]:
        html = render_template("_step_patch.html", step=step)
        if sent.get(step["name"]) != html:
            sent[step["name"]] = html
            yield _event(html)


def _event(html: str) -> str:
    return "".join(f"data: {line}\n" for line in html.strip().splitlines()) + "\n"
