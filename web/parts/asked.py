"""What pages with a form do alike: one transaction of a verb, and the form again when it is refused."""

from collections.abc import Callable
from typing import Any

from flask import current_app, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules.refusals import NotAllowed, NotFound, Refusal
from scheduler.store.engines import write
from web.parts.refusing import Shown, show


def attempt(
    verb: Callable[[Session, DeskContext], str],
    again: Callable[[Shown], ResponseReturnValue],
    fields: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """Do `verb` in one transaction and go to the address it returns; refused, show the form again.

    `fields` renames inputs that refusals blame. NotFound and NotAllowed are pages of their own.
    """
    service: Any = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            target = verb(session, service.desk(session))
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return again(show([refusal], fields))
    return redirect(target, 303)
