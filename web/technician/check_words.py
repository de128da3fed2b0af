"""Checks put before the desk: the line that sums one up, the timeline of a session, and the live check."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from scheduler.checks import explaining
from scheduler.context import DeskContext
from scheduler.rules.verdict import BEFORE_START, NOT_JUDGED, light
from scheduler.store.models import AccessPoint, Booking, Check
from web import i18n
from web.i18n import gettext as _
from web.i18n import ngettext
from web.parts.check_view import CONFIRM_FORM, HOST_KEY_CODES, Place, check_view


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished check found: its light and the few words that say it."""

    state: str
    text: str


def latest_done(session: Session, booking_ids: Iterable[int]) -> dict[int, Check]:
    """The newest finished check of each booking that has one, with its steps."""
    rows = session.scalars(
        select(Check)
        .where(Check.booking_id.in_(list(booking_ids)), Check.state == "done")
        .order_by(Check.finished_at, Check.id)
        .options(selectinload(Check.steps))
    )
    return {check.booking_id: check for check in rows if check.booking_id is not None}


def latest_begun(checks: Sequence[Check]) -> Check | None:
    """The check to show live: the newest that runs, ran or was asked for; planned ones wait their turn."""
    begun = [check for check in checks if check.state != "planned" or check.stage == "on_demand"]
    return max(begun, key=lambda check: check.id, default=None)


def result(session: Session, desk: DeskContext, check: Check) -> Result:
    """The finished check in a few words: where it stopped, or how many steps passed."""
    steps = explaining.explain(session, check, desk, i18n.language())
    stopped = next((step for step in steps if step.code is not None and step.code == check.code), None)
    if stopped is not None:
        words = f"{stopped.label}: {stopped.evidence}" if stopped.evidence else stopped.label
        return Result(light(check.verdict), words)
    if check.verdict != "ready":
        return Result(light(check.verdict), _("it could not tell"))
    steps = tuple(step for step in steps if step.name not in NOT_JUDGED)
    passed = sum(step.state == "ok" for step in steps)
    took = sum(step.ms or 0 for step in steps)
    text = _("%(passed)s of %(all)s steps, %(took)s ms", passed=passed, all=len(steps), took=took)
    return Result("ok", text)


def short_reason(session: Session, desk: DeskContext, check: Check | None) -> str | None:
    """Why the light is not green, as short as an event of the agenda needs it; None when there is nothing to say."""
    if check is None or check.code is None:
        return None
    if check.code in HOST_KEY_CODES:
        # What was seen is a fingerprint of fifty characters: too long for an event.
        changed = check.code == "hostkey_changed"
        return _("server's key changed") if changed else _("server's key to confirm")
    steps = explaining.explain(session, check, desk, i18n.language())
    return next((step.evidence or step.label for step in steps if step.code == check.code), None)


def check_line(session: Session, desk: DeskContext, check: Check, at: datetime, zone: ZoneInfo) -> Result:
    """When it was tested and what was found, in one line."""
    found, finished_at = result(session, desk, check), check.finished_at or check.due_at
    if finished_at.astimezone(zone).date() == at.astimezone(zone).date():
        time = i18n.say_time(finished_at, zone)
        return Result(found.state, _("Test at %(time)s: %(result)s", time=time, result=found.text))
    moment = i18n.say_short_moment(finished_at, zone)
    return Result(found.state, _("Test on %(moment)s: %(result)s", moment=moment, result=found.text))


def timeline(
    session: Session, desk: DeskContext, row: Booking, checks: Sequence[Check], zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Entries for the `timeline` macro: checks by due time, the session itself last."""
    entries = [_entry(session, desk, row, check, zone) for check in checks]
    when = f"{i18n.say_short_moment(row.starts_at, zone)}–{i18n.say_time(row.ends_at, zone)}"
    return [*entries, {"state": "next", "title": _("Session"), "text": when}]


def _entry(session: Session, desk: DeskContext, row: Booking, check: Check, zone: ZoneInfo) -> dict[str, Any]:
    state, words = check.state, _("planned")
    if not explaining.checkable(row.access_point.method):
        words = _("no automatic test for this kind of access")
    elif check.state == "done":
        found = result(session, desk, check)
        state, words = found.state, found.text
    elif check.state == "running":
        words = _("testing")
    moment = i18n.say_short_moment(check.finished_at or check.due_at, zone)
    return {
        "state": "waiting" if state in ("planned", "done") else state,
        "title": stage_word(check.stage),
        "text": f"{moment} · {words}",
    }


def stage_word(stage: str) -> str:
    """When a check is made, seen from the session."""
    if stage not in BEFORE_START:
        return _("On booking") if stage == "booked" else _("On request")
    minutes = int(BEFORE_START[stage] / timedelta(minutes=1))
    if minutes < 60:
        return ngettext("%(num)s minute before", "%(num)s minutes before", minutes)
    return ngettext("%(num)s hour before", "%(num)s hours before", minutes // 60)


def live_check(
    session: Session, desk: DeskContext, check: Check | None, point: AccessPoint, place: Place
) -> dict[str, Any]:
    """The check for the `check_list` macro, in words for the desk instead of the customer."""
    view = check_view(session, desk, check, point, place, i18n.language())
    view["text"], view["more"] = _verdict(view["state"], check, possible=view["possible"])
    for step in view["steps"]:
        if step["fix"]:
            # The customer has had it by mail; to "whoever runs your network" it is addressed on their page.
            step["fix"]["mail"] = None
        if step["fix"] and step["code"] in HOST_KEY_CODES:
            step["fix"] |= {
                "text": _host_key_words(step["code"]),
                "more": _confirm_button(step["fix"]["command"]),
            }
    return view


def _verdict(state: str, check: Check | None, *, possible: bool) -> tuple[str, str]:
    if not possible:
        return _("We cannot test this kind of access by ourselves yet."), _("Try it when the session begins.")
    if state == "warn" and check is not None and check.code == "hostkey_unknown":
        return (
            _("Only the server's key is left to confirm."),
            _("Compare it with the customer by telephone, or wait until they confirm it."),
        )
    words: dict[str, Callable[[], tuple[str, str]]] = {
        "ok": lambda: (_("We can get in."), ""),
        "warn": lambda: (_("We can get in, with a warning."), ""),
        "fail": lambda: (_("We cannot get in."), _("The customer has been told what to do.")),
        "running": lambda: (_("Testing from our network."), _("It takes a few seconds.")),
    }
    if state in words:
        return words[state]()
    if check is None:
        return _("Not tested yet."), ""
    return _("We could not tell."), _("Test again in a moment.")


def _confirm_button(fingerprint: str | None) -> Markup:
    button = Markup('<button class="button small" form="{}" name="fingerprint" value="{}">{}</button>')
    return button.format(CONFIRM_FORM, fingerprint or "", _("It is theirs: confirm it"))


def _host_key_words(code: str) -> str:
    if code == "hostkey_changed":
        return _(
            "This is not the key that was confirmed; we have sent it nothing. Call the customer: only when they have "
            "reinstalled or replaced the server, compare the fingerprint with them and confirm it."
        )
    return _(
        "This server is seen for the first time. Compare its fingerprint with the customer "
        "(ssh-keygen -lf of its public host key) and confirm that it is theirs."
    )
