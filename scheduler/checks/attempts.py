"""The book of logins on the desk's own database: how often a far end is tried, over all customers and processes."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from probes.logins import WINDOW, Allowance, Attempt, Ending, PutOff, Why
from scheduler.clock import Clock
from scheduler.store.attempts import LoginAttempt
from scheduler.store.engines import write

__all__ = ["Allowance", "StoredLogins"]


@dataclass(frozen=True, slots=True)
class StoredLogins:
    """Attempts as rows, each committed before the connection that could carry the credential.

    A second run of a check (its first died) does not repeat a login that could lock somebody out, unless the first
    is known to have been accepted: the row is all that the dead run left. Raises DBAPIError where the store is away,
    so that nothing is tried that could not be written down.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    allowance: Allowance
    executor: str
    check_id: int | None = None

    def begin(self, address: str, port: int, *, guessable: bool) -> int | PutOff:
        """The row's id, or why there is none."""
        now = self.clock()
        with write(self.sessions) as session:
            _alone(session, address, port)
            if guessable and self._was_cut_short(session):
                return PutOff(Why.INTERRUPTED, None)
            recent = session.scalars(
                select(LoginAttempt).where(
                    LoginAttempt.address == address,
                    LoginAttempt.port == port,
                    LoginAttempt.started_at > now - WINDOW,
                )
            )
            put_off = self.allowance.judge(map(_attempt, recent), now)
            if put_off is not None:
                return put_off
            row = LoginAttempt(
                check_id=self.check_id,
                executor=self.executor,
                address=address,
                port=port,
                guessable=guessable,
            )
            row.started_at = now
            session.add(row)
            session.flush()
            return row.id

    def settle(self, handle: object, ending: Ending) -> None:
        """Write down how it ended."""
        with write(self.sessions) as session:
            session.execute(update(LoginAttempt).where(LoginAttempt.id == handle).values(ending=ending))

    def _was_cut_short(self, session: Session) -> bool:
        if self.check_id is None:
            return False
        endings = session.scalars(
            select(LoginAttempt.ending).where(
                LoginAttempt.check_id == self.check_id, LoginAttempt.executor != self.executor
            )
        )
        return any(ending in (None, "refused") for ending in endings)


def _attempt(row: LoginAttempt) -> Attempt:
    ending: Ending | None = row.ending  # type: ignore[assignment]  # the table allows these words only
    return Attempt(row.address, row.port, row.guessable, row.started_at, ending)


def _alone(session: Session, address: str, port: int) -> None:
    """Two processes must not both be the last allowed; on SQLite there is one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        name = f"login at {address} port {port}"
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
