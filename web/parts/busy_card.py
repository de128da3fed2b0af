"""The card of a technician's own calendars, on their account page and on the dispatcher's page of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import current_app, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.busy import calendars
from scheduler.rules.refusals import InvalidInput, Refusal, TooManyTries
from scheduler.store.engines import write
from scheduler.store.models import BusyCalendar, BusyTime
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import actor


def busy_card(session: Session, technician_id: int, at: datetime) -> list[dict[str, Any]]:
    """Each calendar as the card shows it: where it is read, how old what is known is, and what is wrong."""
    return [_shown(session, row, at) for row in calendars.calendars_of(session, technician_id)]


def _shown(session: Session, row: BusyCalendar, at: datetime) -> dict[str, Any]:
    coming = select(func.count()).where(BusyTime.calendar_id == row.id, BusyTime.ends_at > at)
    return {
        "id": row.id,
        "host": row.host,
        "state": "waiting" if row.tried_at is None else "fail" if row.problem else "ok",
        "age": _age(row, at),
        "problem": problem_words(row.problem, row.problem_facts) if row.problem else None,
        "code": row.problem,
        "busy": session.scalar(coming) or 0,
    }


def _age(row: BusyCalendar, at: datetime) -> str:
    if row.good_at is None:
        return _("Not read yet.") if row.tried_at is None else _("It could never be read.")
    ago = i18n.say_ago(row.good_at, at)
    if row.problem is None:
        return _("Read %(ago)s.", ago=ago)
    return _("What is known is from %(ago)s and still counts.", ago=ago)


def add(technician_id: int) -> Shown:
    """Add the calendar of the form."""

    def verb(session: Session) -> None:
        service = _service()
        url = request.form.get("calendar_url", "")
        calendars.add_calendar(
            session, service.desk(session), service.vault, now(), actor(), technician_id, url
        )

    return _try(verb)


def read_again(technician_id: int, calendar_id: int) -> Shown:
    """Read it now."""
    return _try(lambda session: calendars.read_again(session, now(), actor(), technician_id, calendar_id))


def remove(technician_id: int, calendar_id: int) -> None:
    """Forget it. Raises NotFound, NotAllowed."""
    service = _service()
    with write(service.sessions) as session:
        calendars.remove_calendar(session, service.desk(session), now(), actor(), technician_id, calendar_id)


def _try(verb: Callable[[Session], None]) -> Shown:
    try:
        with write(_service().sessions) as session:
            verb(session)
    except (InvalidInput, TooManyTries) as refusal:
        refused: Refusal = refusal
        return show([refused])
    return NOTHING


def _service() -> Any:
    return current_app.extensions["ventana"]


def problem_words(code: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """What happened and what to do, for a code of `scheduler.busy.keeping.PROBLEMS`."""
    what, remedy = PROBLEM_WORDS[code](facts)
    return what, remedy


def _copy_again() -> str:
    return _("Copy the private address in iCal format again from the settings of that calendar.")


def _ask_admin() -> str:
    return _("Wait, or ask whoever runs that calendar; we go on trying.")


def _smaller() -> str:
    return _("Publish a calendar with fewer entries, for instance of the last months only.")


PROBLEM_WORDS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "address_refused": lambda _f: (
        _("The address leads into a private network, where we do not read."), _copy_again()),
    "dns": lambda _f: (_("The name of that server cannot be found."), _copy_again()),
    "unreachable": lambda _f: (_("That server does not accept the connection."), _ask_admin()),
    "tls": lambda _f: (_("The certificate of that server cannot be trusted."), _ask_admin()),
    "timeout": lambda _f: (_("That server did not answer within ten seconds."), _ask_admin()),
    "too_large": lambda _f: (_("The calendar is larger than 5 MB."), _smaller()),
    "too_many_redirects": lambda _f: (_("That server sends us on and on."), _copy_again()),
    "insecure_redirect": lambda _f: (
        _("That server sends us from a secure address to one that is not."), _ask_admin()),
    "bad_redirect": lambda _f: (_("That server sends us to an address that we do not read."), _copy_again()),
    "login": lambda _f: (
        _("That server asks for a user and password."),
        _("Use the calendar's private address, which works without signing in.")),
    "gone": lambda _f: (_("There is no calendar at that address any more."), _copy_again()),
    "status": lambda f: (
        _("That server answers with error %(status)s.", status=f.get("status", "?")), _ask_admin()),
    "broken_http": lambda _f: (_("That server's answer cannot be understood."), _ask_admin()),
    "html": lambda _f: (
        _("That address shows a web page, not a calendar."), _copy_again()),
    "not_calendar": lambda _f: (_("What stands at that address is no calendar."), _copy_again()),
    "cut_short": lambda _f: (_("The calendar breaks off in the middle."), _ask_admin()),
    "charset": lambda _f: (
        _("The calendar's letters cannot be read: it is not in UTF-8."),
        _("Ask whoever runs that calendar to publish it in UTF-8.")),
    "too_frequent": lambda _f: (
        _("The calendar holds something that repeats every minute or second."),
        _("Remove that entry; nobody can be busy that often.")),
    "too_many": lambda _f: (_("The calendar holds too many entries to come."), _smaller()),
    "too_heavy": lambda _f: (_("The calendar takes too much time or memory to read."), _smaller()),
    "invalid": lambda _f: (_("The calendar does not keep to its format."), _ask_admin()),
}  # fmt: skip
