"""What a reading of a calendar changes in our rows: its busy times, when it was good, or why it was not."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scheduler.busy.bounded import Answer
from scheduler.fetching import Failed, Fetched
from scheduler.rules.intervals import Interval
from scheduler.store.models import BusyCalendar, BusyTime

FAILED_READING = frozenset(
    {"html", "not_calendar", "cut_short", "charset", "too_frequent", "too_many", "too_heavy", "invalid"}
)
FAILED_FETCHING = frozenset(
    {
        "address_refused", "dns", "unreachable", "tls", "timeout", "too_large", "too_many_redirects",
        "insecure_redirect", "bad_redirect", "login", "gone", "status", "broken_http",
    }
)  # fmt: skip
PROBLEMS = FAILED_READING | FAILED_FETCHING
"""Every stable code that a calendar may stand at; the pages have words for each."""


def keep_problem(row: BusyCalendar, problem: Failed | Answer, now: datetime) -> None:
    """The last try failed: what was known stays, and its age tells how much it is worth."""
    row.tried_at, row.failures = now, row.failures + 1
    row.problem, row.problem_facts = problem.code, dict(problem.facts)


def keep_unchanged(row: BusyCalendar, now: datetime) -> None:
    """The far end says that nothing changed, so what is known is as good as new."""
    row.tried_at = row.good_at = now
    row.problem, row.problem_facts, row.failures = None, {}, 0


def keep_times(
    session: Session,
    row: BusyCalendar,
    fetched: Fetched,
    busy: Iterable[Interval],
    until: datetime,
    now: datetime,
) -> None:
    """Put these busy times in the place of those known; what stays the same keeps the moment it was first seen."""
    wanted = {(each.start, each.end) for each in busy}
    known = {(each.starts_at, each.ends_at): each.id for each in _known(session, row)}
    gone = [known[span] for span in known.keys() - wanted]
    for start in range(0, len(gone), 500):
        session.execute(delete(BusyTime).where(BusyTime.id.in_(gone[start : start + 500])))
    for starts_at, ends_at in sorted(wanted - known.keys()):
        session.add(
            BusyTime(
                calendar_id=row.id,
                technician_id=row.technician_id,
                starts_at=starts_at,
                ends_at=ends_at,
                seen_at=now,
            )
        )
    row.etag, row.last_modified, row.known_until = fetched.etag, fetched.last_modified, until
    keep_unchanged(row, now)
    session.flush()


def _known(session: Session, row: BusyCalendar) -> Iterable[BusyTime]:
    return session.scalars(select(BusyTime).where(BusyTime.calendar_id == row.id))
