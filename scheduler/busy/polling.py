"""Read one calendar when the engine wakes for it. Nothing is held while the far end is asked or its bytes are read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from scheduler.busy import conflicts, keeping
from scheduler.busy.bounded import Answer, Question, read_calendar
from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.fetching import Failed, Fetched, Fetcher
from scheduler.rules.intervals import Interval
from scheduler.store.engines import read, write
from scheduler.store.models import BusyCalendar
from scheduler.store.vault import Vault

EVERY = timedelta(minutes=15)
SELDOM = timedelta(hours=1)
"""How often a calendar is tried that has failed for an hour: most of them never come back by themselves."""
PATIENT_FAILURES = 4
AHEAD = timedelta(days=7)
"""Worked out beyond the booking horizon, so that an unchanged calendar need not be read each day."""
BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is needed while no transaction is open."""

    url: str
    headers: dict[str, str]
    question: Question


@dataclass(frozen=True, slots=True)
class Poller:
    """Reads calendars with the desk's sessions, clock and keys; safe to call from several threads."""

    sessions: sessionmaker[Session]
    clock: Clock
    installation: Installation
    vault: Vault
    fetcher: Fetcher

    def run(self, calendar_id: int, rev: int) -> datetime | None:
        """Read the calendar if its row still asks for it at `rev`; returns its next turn, None when it has none."""
        with read(self.sessions) as session:
            task = self._task(session, calendar_id, rev)
        if task is None:
            return None
        fetched = self.fetcher.get(task.url, task.headers)
        answer = self._answer(fetched, task)
        with write(self.sessions) as session:
            return self._record(session, calendar_id, rev, fetched, answer, task.question.window.end)

    def _task(self, session: Session, calendar_id: int, rev: int) -> _Task | None:
        row = session.get(BusyCalendar, calendar_id)
        if row is None or row.rev != rev:
            return None
        now, desk = self.clock(), load_desk(session, self.installation)
        horizon = now + timedelta(days=desk.conditions.horizon_days)
        secret = self.vault.open(row.address, "busy_calendar", row.id, "address", row.address_gen)
        window = Interval(now - BEFORE, horizon + AHEAD)
        return _Task(
            secret.reveal(), _condition(row, horizon), Question(window, row.technician.zone, desk.domain)
        )

    def _answer(self, fetched: Fetched | Failed, task: _Task) -> Answer | None:
        if isinstance(fetched, Failed) or fetched.status == 304:
            return None
        asked = Question(task.question.window, task.question.zone, task.question.domain, fetched.charset)
        return read_calendar(fetched.body, asked)

    def _record(
        self,
        session: Session,
        calendar_id: int,
        rev: int,
        fetched: Fetched | Failed,
        answer: Answer | None,
        until: datetime,
    ) -> datetime | None:
        row = session.get(BusyCalendar, calendar_id, with_for_update=True)
        if row is None or row.rev != rev:
            return None
        now = self.clock()
        if isinstance(fetched, Failed):
            keeping.keep_problem(row, fetched, now)
        elif answer is None:
            keeping.keep_unchanged(row, now)
        elif answer.code is not None:
            keeping.keep_problem(row, answer, now)
        else:
            keeping.keep_times(session, row, fetched, answer.busy, until, now)
        row.due_at = now + (EVERY if row.failures < PATIENT_FAILURES else SELDOM)
        self._tell(session, load_desk(session, self.installation), row, now)
        return row.due_at

    def _tell(self, session: Session, desk: DeskContext, row: BusyCalendar, now: datetime) -> None:
        session.flush()
        conflicts.tell(session, desk, now, row.technician_id)


def _condition(row: BusyCalendar, horizon: datetime) -> dict[str, str]:
    """Ask for the calendar only if it changed, while what is known of it still covers the horizon (RFC 9110 §13.1)."""
    if row.known_until is None or row.known_until < horizon or row.problem in keeping.FAILED_READING:
        return {}
    if row.etag:
        return {"If-None-Match": row.etag}
    return {"If-Modified-Since": row.last_modified} if row.last_modified else {}
