"""What the PBX told of itself when it last answered: version, time up and calls, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.store.models import AccessPoint, Check, CheckStep
from web import i18n
from web.i18n import gettext as _
from web.i18n import ngettext

LOOKED_AT = 10
"""Checks looked back on: a PBX that has been silent for longer has nothing to say about today."""
TELLING = ("asterisk", "services")
"""Steps in which the PBX itself speaks: Asterisk's console, and the state of the system on 3CX's panel."""


@dataclass(frozen=True, slots=True)
class PbxState:
    """Lines to show as (name, value), and when the PBX said so."""

    lines: tuple[tuple[str, str], ...]
    when: str


def pbx_state(session: Session, point: AccessPoint, at: datetime, zone: ZoneInfo) -> PbxState | None:
    """The last answer of the PBX behind this door; None before its first."""
    step, finished_at = _last_answer(session, point) or (None, at)
    if step is None:
        return None
    lines = _asterisk(step.facts) if step.name == "asterisk" else _threecx(step)
    today = finished_at.astimezone(zone).date() == at.astimezone(zone).date()
    moment = i18n.say_time(finished_at, zone) if today else i18n.say_short_moment(finished_at, zone)
    return PbxState(tuple(lines), moment)


def _last_answer(session: Session, point: AccessPoint) -> tuple[CheckStep, datetime] | None:
    """The newest answer; also one that a check failed for, when it still named its version."""
    rows = session.execute(
        select(CheckStep, Check.finished_at)
        .join(Check, Check.id == CheckStep.check_id)
        .where(Check.access_point_id == point.id, Check.state == "done", CheckStep.name.in_(TELLING))
        .order_by(Check.finished_at.desc(), Check.id.desc())
        .limit(LOOKED_AT)
    )
    told = ((step, finished_at) for step, finished_at in rows if finished_at and step.facts.get("version"))
    return next(told, None)


def _asterisk(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [(_("Version"), f"Asterisk {facts['version']}")]
    if isinstance(seconds := facts.get("uptime_s"), int):
        lines.append((_("Running for"), say_uptime(seconds)))
    if isinstance(channels := facts.get("channels"), int):
        words = ngettext("%(num)s active channel", "%(num)s active channels", channels)
        lines.append((_("Calls"), words if channels else _("no active channels")))
    return lines


def _threecx(step: CheckStep) -> list[tuple[str, str]]:
    facts = step.facts
    lines = [(_("Version"), f"3CX {facts['version']}"), (_("Services"), _services(step))]
    pairs = (
        (_("Extensions"), "extensions_registered", "extensions"),
        (_("Trunks"), "trunks_registered", "trunks"),
        (_("Calls"), "calls", "calls_limit"),
    )
    for name, some, all_ in pairs:
        if isinstance(facts.get(some), int) and isinstance(facts.get(all_), int):
            lines.append((name, _("%(some)s of %(all)s", some=facts[some], all=facts[all_])))
    return lines


def _services(step: CheckStep) -> str:
    if step.code == "service_down":
        names = ", ".join(map(str, step.facts.get("services") or ["?"]))
        return _("not running: %(names)s", names=names)
    return _("all running") if step.outcome == "ok" else _("it did not say")


def say_uptime(seconds: int) -> str:
    """How long something has been up, by its two greatest units: 3 días y 4 horas; 25 minutos."""
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    said = [
        ngettext("%(num)s day", "%(num)s days", days) if days else "",
        ngettext("%(num)s hour", "%(num)s hours", hours) if hours else "",
        ngettext("%(num)s minute", "%(num)s minutes", minutes) if minutes else "",
    ]
    greatest = [words for words in said if words][:2]
    return i18n.say_list(greatest) if greatest else _("less than a minute")
