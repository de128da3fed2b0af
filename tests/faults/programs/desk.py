"""What the engine's fault tests and their programs share: real check rows whose probe only takes time.

Each recorded outcome is one audit entry, written in the transaction that ends the row, so outcomes can be counted.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine as Database
from sqlalchemy import TableClause, column, delete, func, select, table, update
from sqlalchemy.orm import Session, sessionmaker

from scheduler.engine import Engine, Work
from scheduler.store.engines import read, sessions, write
from scheduler.store.models import AccessPoint, AuditEntry, Check, Customer, System
from scheduler.waking import Waker, executor_name, wake

KIND = "check"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FaultDesk:
    """A desk with check rows and two ways to run them: the guarded one, and a broken one that must lose some."""

    database: Database
    seconds: float = 0.2
    """How long a probe takes."""
    acts: list[tuple[int, int, float]] = field(default_factory=list)
    """(id, rev, monotonic time) of each probe begun in this process."""

    def __post_init__(self) -> None:
        self.sessions: sessionmaker[Session] = sessions(self.database)

    def use(self, waker: Waker) -> None:
        """Plan through this waker from now on."""
        self.sessions.configure(info={"waker": waker})

    def doors(self, count: int) -> list[int]:
        """Ids of new access points."""
        with write(self.sessions) as session:
            customer = Customer(
                company="Ficticia",
                cif=uuid.uuid4().hex,
                zone="Europe/Madrid",
                created_at=LONG_AGO,
            )
            session.add(customer)
            session.flush()
            system = System(
                customer_id=customer.id,
                platform="asterisk",
                name="PBX",
                created_at=LONG_AGO,
            )
            session.add(system)
            session.flush()
            made = [_door(system.id, number) for number in range(count)]
            session.add_all(made)
            session.flush()
            return [door.id for door in made]

    def plan(self, doors: Iterable[int], due_at: datetime) -> list[int]:
        """Ids of new planned checks, one per door named, woken by whatever waker is in use."""
        with write(self.sessions) as session:
            return self.plan_in(session, doors, due_at)

    def plan_in(self, session: Session, doors: Iterable[int], due_at: datetime) -> list[int]:
        """The same inside the caller's transaction."""
        checks = [Check(access_point_id=door, rev=1, stage="on_demand", due_at=due_at) for door in doors]
        session.add_all(checks)
        session.flush()
        for check in checks:
            wake(session, KIND, check.id, check.rev, check.due_at)
        return [check.id for check in checks]

    def work(self, guarded: bool = True, per_door: bool = False) -> Work:
        """The work to give to the engine."""
        run = self.run if guarded else self.mark_first
        return Work(KIND, run, overdue, far_end if per_door else None)

    def run(self, id: int, rev: int) -> None:
        """Claim under a token, probe without a transaction, record only while the claim is still ours."""
        token = f"{executor_name()}/{uuid.uuid4().hex}"
        if not self._change(id, rev, ("planned", "running"), state="running", executor=token):
            return
        self._act(id, rev)
        with write(self.sessions) as session:
            mine = (
                Check.id == id,
                Check.rev == rev,
                Check.state == "running",
                Check.executor == token,
            )
            if _done(session, *mine):
                session.add(_outcome(id))

    def mark_first(self, id: int, rev: int) -> None:
        """The broken control: done first, then the act. Who dies between leaves a row nobody looks at again."""
        if not self._change(id, rev, ("planned",), state="done", finished_at=datetime.now(UTC)):
            return
        self._act(id, rev)
        with write(self.sessions) as session:
            session.add(_outcome(id))

    def outcomes(self) -> dict[int, int]:
        """How many outcomes each check has."""
        with read(self.sessions) as session:
            rows = session.execute(
                select(AuditEntry.subject, func.count())
                .where(AuditEntry.action == "check.recorded")
                .group_by(AuditEntry.subject)
            )
            return {int(subject.split(":")[1]): count for subject, count in rows}

    def begun_by_executor(self) -> Counter[str]:
        """How many checks each process has under way."""
        with read(self.sessions) as session:
            tokens = session.scalars(select(Check.executor).where(Check.state == "running")).all()
        return Counter(str(token).partition("/")[0] for token in tokens)

    def states(self) -> dict[int, str]:
        """State of each check."""
        with read(self.sessions) as session:
            return dict(session.execute(select(Check.id, Check.state)).all())

    def flows(self) -> list[tuple[str, str]]:
        """Name and status of each wake-up DBOS has a row for."""
        flows = _flows(self.database)
        with self.database.connect() as connection:
            rows = connection.execute(select(flows.c.workflow_uuid, flows.c.status)).all()
        return [(row[0], row[1]) for row in rows]

    def _act(self, id: int, rev: int) -> None:
        self.acts.append((id, rev, time.monotonic()))
        time.sleep(self.seconds)

    def _change(self, id: int, rev: int, states: tuple[str, ...], **values: object) -> bool:
        with write(self.sessions) as session:
            changed = session.scalars(
                update(Check)
                .where(Check.id == id, Check.rev == rev, Check.state.in_(states))
                .values(**values)
                .returning(Check.id)
            ).all()
        return len(changed) == 1


def overdue(session: Session, before: datetime) -> list[tuple[int, int, datetime]]:
    """Open checks due before an instant."""
    rows = session.execute(
        select(Check.id, Check.rev, Check.due_at).where(
            Check.state.in_(("planned", "running")), Check.due_at < before
        )
    )
    return [(row.id, row.rev, row.due_at) for row in rows]


def far_end(session: Session, id: int) -> str:
    """The door a check tries."""
    return str(session.get_one(Check, id).access_point_id)


def soon(seconds: float = 0) -> datetime:
    """An instant from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def wake_ups(database: Database) -> int:
    """How many wake-ups DBOS has rows for."""
    with database.connect() as connection:
        return connection.scalar(select(func.count()).select_from(_flows(database))) or 0


def forget_wake_ups(database: Database) -> None:
    """Delete DBOS's rows behind its back."""
    with database.begin() as connection:
        connection.execute(delete(_flows(database)))


def claim_wake_ups(database: Database, executor: str) -> None:
    """Leave DBOS's rows as they are when the connection is lost between its claim and its dispatch."""
    with database.begin() as connection:
        connection.execute(update(_flows(database)).values(status="PENDING", executor_id=executor))


def _flows(database: Database) -> TableClause:
    schema = "dbos" if database.dialect.name == "postgresql" else None
    return table(
        "workflow_status", column("workflow_uuid"), column("status"), column("executor_id"), schema=schema
    )


@contextmanager
def started(engine: Engine) -> Iterator[Engine]:
    """The engine executing, and stopped afterwards."""
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(10)


def engine_of(desk: FaultDesk, *works: Work, **options: float) -> Engine:
    """An engine on the desk's database, its tables made and its waker in use."""
    engine = Engine(desk.database, works or (desk.work(),), **options)  # type: ignore[arg-type]
    engine.prepare()
    desk.use(engine.waker())
    return engine


def _door(system_id: int, number: int) -> AccessPoint:
    return AccessPoint(
        system_id=system_id,
        method="ssh",
        host=f"pbx{number}.example",
        port=22,
        username="ventana",
        credential_kind="none",
        created_at=LONG_AGO,
    )


def _done(session: Session, *mine: object) -> bool:
    ended = update(Check).where(*mine).values(state="done", finished_at=datetime.now(UTC))  # type: ignore[arg-type]
    return len(session.scalars(ended.returning(Check.id)).all()) == 1


def _outcome(id: int) -> AuditEntry:
    return AuditEntry(
        at=datetime.now(UTC),
        actor=executor_name(),
        action="check.recorded",
        subject=f"check:{id}",
        facts={},
        chain=b"",
    )
