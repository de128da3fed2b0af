"""Visit the mailbox every minute. Nothing is held while it is asked, and nothing it does stops other work."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.replies.inbox import InboxFailed, open_inbox
from scheduler.replies.keeping import Outcome, keep
from scheduler.replies.reading import Reply, replies_in
from scheduler.rules.refusals import NotFound
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import ReplyInbox

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 60.0
_SHARED = timedelta(seconds=EVERY_SECONDS / 2)
"""Several processes share the visits: what another has just read is not read again."""


@dataclass(slots=True)
class _Visit:
    """What one visit found."""

    generation: int = 0
    last: int | None = None
    replies: dict[int, tuple[Reply, ...]] = field(default_factory=dict)
    known: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class InboxPoller:
    """Reads the mailbox of the settings; safe to call from several processes."""

    sessions: sessionmaker[Session]
    clock: Clock
    installation: Installation
    settings: Settings

    def run(self) -> None:
        """Visit it unless a process has within the last half minute."""
        with read(self.sessions) as session:
            state = session.get(ReplyInbox, 1)
            visited_at = state.visited_at if state is not None else None
        if visited_at is None or not timedelta(0) <= self.clock() - visited_at < _SHARED:
            self.visit()

    def visit(self) -> None:
        """Read what is new, keep the answers, mark their mails; a mailbox that fails is written down as such."""
        now, visit = self.clock(), _Visit()
        try:
            with open_inbox(self.settings) as inbox:
                visit.generation, visit.last = inbox.generation, self._last(inbox.generation)
                for mail in inbox.after(visit.last, now):
                    visit.last = mail.uid
                    if found := replies_in(mail.content):
                        visit.replies[mail.uid] = found
                if visit.last is None:  # Nothing of the last month: what is older stays unread for good.
                    visit.last = inbox.newest
                self._record(visit, now)
                # After the answers are kept: a crash in between leaves a mail unmarked, never an answer lost.
                inbox.mark_seen(visit.known)
        except InboxFailed as failed:
            self._record_failure(failed, now)

    def _last(self, generation: int) -> int | None:
        with read(self.sessions) as session:
            state = session.get(ReplyInbox, 1)
            known = state is not None and (state.place, state.generation) == (self._place, generation)
            return state.last_number if state is not None and known else None

    @property
    def _place(self) -> str:
        settings = self.settings
        return f"{settings.imap_user} {settings.imap_host}:{settings.imap_port} {settings.imap_folder}"

    def _record(self, visit: _Visit, now: datetime) -> None:
        with write(self.sessions) as session:
            state = _state(session, now)
            try:
                desk = load_desk(session, self.installation)
            except NotFound:
                return  # Before a desk is loaded nobody was invited; its mails are read when it is.
            visit.known = [
                number for number, replies in visit.replies.items() if _kept(session, desk, now, replies)
            ]
            state.place, state.generation, state.last_number = self._place, visit.generation, visit.last or 0
            state.visited_at = state.good_at = now
            state.problem, state.reason = None, ""

    def _record_failure(self, failed: InboxFailed, now: datetime) -> None:
        with write(self.sessions) as session:
            state = _state(session, now)
            if state.problem != failed.code:
                LOG.warning("the inbox for answers cannot be read: %s", failed.code)
            state.visited_at, state.problem, state.reason = now, failed.code, failed.reason[:200]


def _kept(session: Session, desk: DeskContext, now: datetime, replies: tuple[Reply, ...]) -> bool:
    """Whether the mail answered something of ours, newly or not."""
    outcomes = [keep(session, desk, now, reply) for reply in replies]
    return set(outcomes) != {Outcome.FOREIGN}


def _state(session: Session, now: datetime) -> ReplyInbox:
    """The mailbox's row, locked, so that two processes keep answers one after the other."""
    state = session.scalars(select(ReplyInbox).with_for_update()).one_or_none()
    if state is None:
        state = ReplyInbox(id=1, visited_at=now)
        session.add(state)
    return state
