"""Planning and writing a kept file, portion by portion.

Each portion is one short transaction that moves the file's `done_rows` on, so that a desk goes on booking meanwhile,
and whoever takes over after a crash begins with the first portion that is not done.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from scheduler import audit
from scheduler.actor import SYSTEM
from scheduler.clock import Clock
from scheduler.context import Installation, load_desk
from scheduler.customers import importing
from scheduler.customers.csv_reading import rows
from scheduler.customers.import_turns import LEASE, REVS
from scheduler.customers.import_writing import write_portion
from scheduler.customers.importing import Planned, RowReader, counted
from scheduler.customers.planned_rows import pack, unpack
from scheduler.store.engines import read, retrying, write
from scheduler.store.models import CustomerImport, ImportFile, ImportPortion

TURN_SECONDS = 5.0
"""After so long the engine gets its thread back: it may be asked to stop, and others wait too."""
MOST_PAUSE_SECONDS = 0.25

Tell = Callable[[str, int, int], None]
"""Told state, done rows and all rows after each portion."""


def silent(_state: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Does the work of files with the desk's sessions and clock; two at one file do each portion once."""

    sessions: sessionmaker[Session]
    clock: Clock
    installation: Installation
    tell: Tell = silent

    def run(self, import_id: int, rev: int) -> datetime | None:
        """A turn of the engine; when the next is due, None when the file waits for nobody or for a person."""
        with read(self.sessions) as session:
            row = session.get(CustomerImport, import_id)
        if row is None or REVS.get(row.state) != rev:
            return None
        if row.due_at > self.clock():
            return row.due_at
        ends = time.monotonic() + TURN_SECONDS
        for _ in self._portions(row):
            if time.monotonic() >= ends:
                return self._hand_back(import_id, rev)
        return self._left(import_id, rev)

    def finish(self, import_id: int) -> str:
        """Do all that can be done of it now, in this thread; the state it is left in."""
        with read(self.sessions) as session:
            row = session.get_one(CustomerImport, import_id)
        for _ in self._portions(row):
            pass
        with read(self.sessions) as session:
            return session.get_one(CustomerImport, import_id).state

    def _hand_back(self, import_id: int, rev: int) -> datetime | None:
        """End our lease with the turn, so that the next may begin at once; None when that was all."""
        now = self.clock()
        mine = CustomerImport.state.in_([state for state, its in REVS.items() if its == rev])
        with write(self.sessions) as session:
            left: Any = session.execute(_plain_update(import_id).where(mine).values(due_at=now))
        return now if left.rowcount else None

    def _left(self, import_id: int, rev: int) -> datetime | None:
        """None when nothing is left; somebody else was faster otherwise, and has it until their lease ends."""
        with read(self.sessions) as session:
            row = session.get_one(CustomerImport, import_id)
        return row.due_at if REVS.get(row.state) == rev else None

    def _portions(self, row: CustomerImport) -> Iterator[None]:
        """Do one portion after another; leaves the store to others for as long as each has held it."""
        done = self._plan(row) if row.state == "planning" else self._write(row)
        for seconds in done if row.state in REVS else ():
            yield
            time.sleep(min(seconds, MOST_PAUSE_SECONDS))

    def _plan(self, row: CustomerImport) -> Iterator[float]:
        with read(self.sessions) as session:
            file = session.get(ImportFile, row.id)
            reader, zone = RowReader(session), load_desk(session, self.installation).zone.key
        done = 0
        source = importing.portions(rows(zlib.decompress(file.content).decode())) if file else iter(())
        for number, portion in enumerate(source):
            cleaned = [reader.read(each) for each in portion]
            done += len(portion)
            if done > row.done_rows:
                with read(self.sessions) as session:
                    planned = list(importing.compare(session, cleaned, zone))
                seconds = self._keep_plan(row, number, planned, done)
                if seconds is None:
                    return
                yield seconds

    def _keep_plan(self, row: CustomerImport, number: int, planned: list[Planned], done: int) -> float | None:
        """Keep the portion unless somebody else has; the seconds it took."""
        before = done - len(planned)
        with write(self.sessions) as session:
            began = time.monotonic()
            now = _locked(session, row.id)
            if now is None or (now.state, now.done_rows) != ("planning", before):
                return None
            session.execute(
                insert(ImportPortion), [{"import_id": row.id, "number": number, "planned": pack(planned)}]
            )
            state = "ready" if done == row.total_rows else "planning"
            self._note(session, now, planned, done, state)
            if state == "ready":
                session.execute(delete(ImportFile).where(ImportFile.import_id == row.id))
        self.tell("planning", done, row.total_rows)
        return time.monotonic() - began

    def _write(self, row: CustomerImport) -> Iterator[float]:
        open_ = (ImportPortion.import_id == row.id, ImportPortion.written_at.is_(None))
        with read(self.sessions) as session:
            numbers = session.scalars(
                select(ImportPortion.number).where(*open_).order_by(ImportPortion.number)
            )
            left = list(numbers)
        for number in left:
            seconds = retrying(lambda number=number: self._write_one(row, number))  # type: ignore[misc]
            if seconds is None:
                return
            yield seconds

    def _write_one(self, row: CustomerImport, number: int) -> float | None:
        """Write the portion unless somebody else has; the seconds it took."""
        with write(self.sessions) as session:
            began = time.monotonic()
            now = _locked(session, row.id)
            portion = session.get_one(ImportPortion, (row.id, number))
            if now is None or portion.written_at is not None:
                return None
            planned = unpack(portion.planned)
            written = write_portion(session, self.clock(), planned)
            portion.planned, portion.written_at = pack(written), self.clock()
            session.flush()
            done = now.done_rows + len(written)
            state = "done" if done == row.total_rows else "writing"
            self._note(session, now, written, done, state, counted(planned))
            if state == "done":
                self._finished(session, row)
        self.tell("writing", done, row.total_rows)
        return time.monotonic() - began

    def _note(
        self,
        session: Session,
        now: Any,
        portion: list[Planned],
        done: int,
        state: str,
        instead: dict[str, int] | None = None,
    ) -> None:
        """Move the file on: its counts by this portion's, `instead` of what was counted of it before."""
        fates, before = counted(portion), instead or {}
        counts = {fate: now.counts.get(fate, 0) + fates[fate] - before.get(fate, 0) for fate in fates}
        values = {"state": state, "done_rows": done, "counts": counts, "due_at": self.clock() + LEASE}
        session.execute(_plain_update(now.id).values(values))

    def _finished(self, session: Session, row: CustomerImport) -> None:
        now = self.clock()
        session.execute(_plain_update(row.id).values(finished_at=now))
        counts = session.scalar(select(CustomerImport.counts).where(CustomerImport.id == row.id)) or {}
        audit.record(
            session, self.installation, now, SYSTEM, "customer.import_done", f"import:{row.id}", **counts
        )


def _locked(session: Session, import_id: int) -> Any:
    """The file's present state, kept from others until the end of the transaction."""
    columns = (CustomerImport.id, CustomerImport.state, CustomerImport.done_rows, CustomerImport.counts)
    return session.execute(select(*columns).where(CustomerImport.id == import_id).with_for_update()).first()


def _plain_update(import_id: int) -> Any:
    statement = update(CustomerImport).where(CustomerImport.id == import_id)
    return statement.execution_options(synchronize_session=False)
