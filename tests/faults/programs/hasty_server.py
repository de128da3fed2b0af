"""The broken control of the kills: `ventana serve` that answers before its database has committed.

Settings come from the environment, as for the product.
"""

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules.refusals import Refusal
from scheduler.store.engines import write
from web.api import bookings
from web.cli import cli

LATER_SECONDS = 30.0
"""Longer than any kill after an answer takes, however busy the machine."""


def answer_first(verb: Callable[[Session, DeskContext], Any]) -> Any:
    """The verb's result as soon as it is known; the commit half a minute later, in another thread."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    app, service = current_app._get_current_object(), bookings.service()  # type: ignore[attr-defined]

    def work() -> None:
        with app.app_context():
            try:
                with write(service.sessions) as session:
                    answers.put(verb(session, service.desk(session)))
                    time.sleep(LATER_SECONDS)
            except Refusal as refusal:
                answers.put(refusal)

    threading.Thread(target=work, daemon=True).start()
    answer = answers.get()
    if isinstance(answer, Refusal):
        raise answer
    return answer


if __name__ == "__main__":
    bookings.writing = answer_first
    cli(["serve", "--no-work"])
    sys.exit(0)
