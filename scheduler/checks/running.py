"""Run one check when the engine wakes for it, and record exactly one outcome.

The check row is the truth: a run claims it with a token of its own, probes without holding any transaction, and
records under that token. A second run of the same check takes the token over, so the first one's result is dropped.
"""

import logging
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.orm import Session, sessionmaker

from probes.engine import run as run_probe
from probes.report import Report, Step
from probes.target import Depth, Target
from scheduler import pictures
from scheduler.checks import lights, pins
from scheduler.checks.attempts import Allowance, StoredLogins
from scheduler.checks.targets import Doors, depth_of
from scheduler.clock import Clock
from scheduler.context import Installation, load_desk
from scheduler.rules.verdict import Judgment, StepOutcome, judge_steps, proof_step
from scheduler.store.engines import write
from scheduler.store.models import LIVE_STATUSES, Booking, Check, CheckStep

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckRunner:
    """Runs checks with the desk's sessions, clock and keys; safe to call from several threads."""

    sessions: sessionmaker[Session]
    clock: Clock
    installation: Installation
    doors: Doors
    release: lights.Release
    """What frees the hour of a booking that stays red; handed in, since bookings plan checks and not the reverse."""
    allowance: Allowance = field(default_factory=Allowance)
    """How many logins one address and port bears, over all customers."""

    def run(self, check_id: int, rev: int) -> datetime | None:
        """Run the check if its row still asks for it. Returns None: a check is never retried by itself."""
        token = uuid.uuid4().hex
        with write(self.sessions) as session:
            claimed = self._claim(session, check_id, rev, token)
        if claimed is None:
            return None
        target, depth = claimed
        if isinstance(target, Step):
            steps: tuple[Step, ...] = (target,)
        else:
            steps = self._probe(target, depth, check_id, token).steps
        with write(self.sessions) as session:
            self._record(session, check_id, token, steps)
        return None

    def _claim(
        self, session: Session, check_id: int, rev: int, token: str
    ) -> tuple[Target | Step, Depth] | None:
        check = session.get(Check, check_id)
        if check is None or check.rev != rev or check.state in ("done", "dropped"):
            return None
        if check.booking is not None and not _still_wanted(check, check.booking):
            check.state = "dropped"
            return None
        check.state, check.executor, check.started_at = "running", token, self.clock()
        session.execute(delete(CheckStep).where(CheckStep.check_id == check_id))
        desk = load_desk(session, self.installation)
        return self.doors.target_of(session, desk, check.access_point), depth_of(check)

    def _probe(self, target: Target, depth: Depth, check_id: int, token: str) -> Report:
        position = 0

        def keep(step: Step) -> None:
            # People watch the steps arrive, so each is stored at once; the final record writes them all again.
            nonlocal position
            with write(self.sessions) as session:
                if _holds(session, check_id, token):
                    session.merge(_row(check_id, position, step))
            position += 1

        logins = StoredLogins(self.sessions, self.clock, self.allowance, token, check_id)
        return run_probe(target, depth, on_step=keep, logins=logins)

    def _record(self, session: Session, check_id: int, token: str, steps: tuple[Step, ...]) -> None:
        door = session.get_one(Check, check_id).access_point
        outcomes = [StepOutcome(step.name, str(step.outcome), step.code) for step in steps]
        verdict = judge_steps(outcomes, proof_step(door.system.platform, door.method))
        now = self.clock()
        if _holds(session, check_id, token):
            _keep_picture(session, check_id, steps, now)
        if not _finish(session, check_id, token, verdict, now):
            log.info("check %s was taken over or dropped; this outcome is not recorded", check_id)
            return
        session.execute(delete(CheckStep).where(CheckStep.check_id == check_id))
        session.add_all(_row(check_id, position, step) for position, step in enumerate(steps))
        check = session.get_one(Check, check_id, populate_existing=True)
        pins.remember(session, check.access_point, steps, now)
        lights.shine(session, load_desk(session, self.installation), check, now, self.release)


def _still_wanted(check: Check, booking: Booking) -> bool:
    return booking.rev == check.rev and booking.status in LIVE_STATUSES


def _holds(session: Session, check_id: int, token: str) -> bool:
    check = session.get(Check, check_id)
    return check is not None and check.state == "running" and check.executor == token


def _keep_picture(session: Session, check_id: int, steps: tuple[Step, ...], now: datetime) -> None:
    for step in steps:
        if step.picture is not None:
            facts = step.facts
            taken = pictures.Taken(step.picture, facts["width"], facts["height"], facts["look"])
            pictures.keep(session, session.get_one(Check, check_id), taken, now)


def _finish(session: Session, check_id: int, token: str, verdict: Judgment, now: datetime) -> bool:
    result = session.execute(
        update(Check)
        .where(Check.id == check_id, Check.state == "running", Check.executor == token)
        .values(state="done", verdict=verdict.verdict, code=verdict.code, finished_at=now)
    )
    return cast("CursorResult[Any]", result).rowcount == 1


def _row(check_id: int, position: int, step: Step) -> CheckStep:
    return CheckStep(
        check_id=check_id,
        position=position,
        name=step.name,
        outcome=str(step.outcome),
        code=step.code,
        facts=dict(step.facts),
        ms=round(step.ms),
    )
