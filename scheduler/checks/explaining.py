"""Checks put into words for pages, mails and calendars: each step's neutral name, its evidence and the one remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from probes.ladders import RUNGS, steps_for
from probes.remedies import Remedy, describe, remedy, step_label
from probes.report import Outcome, Step
from probes.target import METHODS, Depth
from scheduler.calendars.event import FailedStep
from scheduler.checks.targets import depth_of
from scheduler.context import DeskContext
from scheduler.rules.verdict import NOT_JUDGED
from scheduler.store.models import Booking, Check, CheckStep, CustomerKey

__all__ = ["Remedy", "StepView", "checkable", "explain", "remedy_of"]

_STATES = {"ok": "ok", "warn": "warn", "fail": "fail", "skipped": "skip"}


@dataclass(frozen=True, slots=True)
class StepView:
    """One line of a check as people see it; `state` is ok, warn, fail, run, wait or skip."""

    name: str
    label: str
    state: str
    evidence: str
    ms: int | None
    code: str | None
    remedy: Remedy | None


def checkable(method: str) -> bool:
    """Whether a probe exists for this access method; without one nothing is known, never green and never red."""
    return method in METHODS


def explain(session: Session, check: Check, desk: DeskContext, locale: str) -> tuple[StepView, ...]:
    """Every rung of the door's ladder: those tried, the one being tried, and those not reached."""
    known = _known(session, check, desk)
    tried = {step.name: step for step in check.steps}
    return tuple(_views(check, tried, known, locale))


def remedy_of(session: Session, check: Check, desk: DeskContext, locale: str) -> Remedy | None:
    """The one remedy of a check that is not green; None when there is nothing to do."""
    known = _known(session, check, desk)
    for step in check.steps:
        if step.code is not None and step.code == check.code:
            return remedy(step.code, locale, known | step.facts)
    return None


def failed_step(session: Session, check: Check, desk: DeskContext, locale: str) -> FailedStep | None:
    """What a calendar says of a check that is not green: the step, its code and the fix."""
    found = next((step for step in check.steps if step.code is not None and step.code == check.code), None)
    if found is None or found.code is None:
        return None
    known = _known(session, check, desk)
    advice = remedy(found.code, locale, known | found.facts)
    fix = f"{advice.title}. {advice.text}" + (f" {advice.copyable}" if advice.copyable else "")
    return FailedStep(step_label(found.name, locale, known), found.code, fix)


def last_failure(session: Session, booking: Booking, desk: DeskContext, locale: str) -> FailedStep | None:
    """What a calendar says of the check that gave the booking its light; None where it is green or unknown."""
    if booking.verdict not in ("not_ready", "at_risk"):
        return None
    query = select(Check).where(Check.booking_id == booking.id, Check.state == "done")
    check = session.scalars(query.order_by(Check.finished_at.desc(), Check.id.desc()).limit(1)).first()
    return failed_step(session, check, desk, locale) if check is not None else None


def _views(
    check: Check, tried: Mapping[str, CheckStep], known: Mapping[str, Any], locale: str
) -> Iterator[StepView]:
    reached = True
    rungs = _rungs(check)
    extra = [name for name in tried if name not in rungs]
    for name in [*rungs, *extra]:
        step = tried.get(name)
        label = step_label(name, locale, known)
        if step is not None:
            yield _tried(step, label, known, locale)
            continue
        yield StepView(name, label, _untried(check, reached), "", None, None, None)
        reached = False


def _rungs(check: Check) -> tuple[str, ...]:
    point = check.access_point
    # Of a finished check the steps themselves tell whether there was to be a picture; consent may have changed since.
    depth = Depth.FUNCTION if check.state == "done" else depth_of(check)
    return steps_for(point.method, depth, point.system.platform) if point.method in RUNGS else ()


def _tried(step: CheckStep, label: str, known: Mapping[str, Any], locale: str) -> StepView:
    facts = {**known, **step.facts}
    state = _STATES[step.outcome]
    if step.name in NOT_JUDGED and state != "ok":
        state = "skip"
    advice = remedy(step.code, locale, facts) if step.code and state in ("fail", "warn") else None
    evidence = describe(Step(step.name, Outcome(step.outcome), step.code, facts), locale)
    return StepView(step.name, label, state, evidence, step.ms, step.code, advice)


def _untried(check: Check, next_one: bool) -> str:
    if check.state == "running":
        return "run" if next_one else "wait"
    return "wait" if check.state == "planned" else "skip"


def _known(session: Session, check: Check, desk: DeskContext) -> dict[str, Any]:
    """What the desk knows besides the step: remedies name our address, our key and the account."""
    point = check.access_point
    key = session.get(CustomerKey, point.system.customer_id) if point.credential_kind == "our_key" else None
    return {
        "host": point.host,
        "port": point.port,
        "username": point.username,
        "credential": point.credential_kind,
        "source_address": desk.source_address,
        # Without its comment: the remedy takes only kind and key into a command to paste.
        "public_line": " ".join(key.public_key.split()[:2]) if key else None,
    }
