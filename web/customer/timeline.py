"""The checks around one booking in order: done with their light, and those to come."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduler.checks import explaining
from scheduler.context import DeskContext
from scheduler.rules.verdict import BEFORE_START, NOT_JUDGED, light
from scheduler.store.models import Booking, Check
from web import i18n
from web.i18n import gettext as _
from web.i18n import ngettext


def timeline_view(
    session: Session, desk: DeskContext, row: Booking, checks: Sequence[Check]
) -> list[dict[str, Any]]:
    """Entries for the `timeline` macro, by time; the session itself is the last one."""
    zone = ZoneInfo(row.wall_zone)
    entries = [_entry(session, desk, row, check, zone) for check in checks]
    when = f"{i18n.say_short_moment(row.starts_at, zone)}–{i18n.say_time(row.ends_at, zone)}"
    used = _("what is used leaves your hours")
    text = f"{when} · {used}" if row.entitlement.metered else when
    return [*entries, {"state": "next", "title": _("Session"), "text": text}]


def _entry(session: Session, desk: DeskContext, row: Booking, check: Check, zone: ZoneInfo) -> dict[str, Any]:
    at = check.finished_at or check.due_at
    return {
        "state": _state(check),
        "title": _title(check.stage),
        "text": f"{i18n.say_short_moment(at, zone)} · {_text(session, desk, row, check)}",
    }


def _state(check: Check) -> str:
    if check.state == "done":
        return light(check.verdict)
    return "running" if check.state == "running" else "waiting"


def _title(stage: str) -> str:
    if stage in BEFORE_START:
        length = BEFORE_START[stage]
        if length < timedelta(hours=1):
            minutes = int(length.total_seconds() // 60)
            return ngettext("%(num)s minute before", "%(num)s minutes before", minutes)
        hours = int(length.total_seconds() // 3600)
        return ngettext("%(num)s hour before", "%(num)s hours before", hours)
    return _("On booking") if stage == "booked" else _("When you asked")


def _text(session: Session, desk: DeskContext, row: Booking, check: Check) -> str:
    if not explaining.checkable(row.access_point.method):
        return _("not tested: we cannot test this kind of access by ourselves yet")
    if check.state != "done":
        return _ahead(desk, row, check)
    explained = explaining.explain(session, check, desk, i18n.language())
    steps = [step for step in explained if step.name not in NOT_JUDGED]
    passed = [step for step in steps if step.state == "ok"]
    stopped = next((step for step in steps if step.state in ("fail", "warn")), None)
    if stopped is not None:
        return f"{stopped.label}: {stopped.evidence}" if stopped.evidence else stopped.label
    took = sum(step.ms or 0 for step in steps)
    return _(
        "%(passed)s of %(all)s steps passed in %(took)s ms", passed=len(passed), all=len(steps), took=took
    )


def _ahead(desk: DeskContext, row: Booking, check: Check) -> str:
    if check.state == "running" or check.stage in ("booked", "on_demand"):
        return _("testing")
    released = desk.conditions.red_light.get(row.entitlement.kind) == "release"
    if check.stage == "h2" and released:
        return _("last moment to put it right; after that the hour is released at no cost")
    if check.stage == "m30":
        return _("the technician sees the result")
    return _("if it fails we write to you how to put it right")
