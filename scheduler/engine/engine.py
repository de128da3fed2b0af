"""The engine as the rest of the house sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.clock import Clock, system_clock
from scheduler.engine.work import Every, Plan, Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine as Database

    from scheduler.engine.executing import Execution
    from scheduler.waking import Waker


class Engine:
    """Durable execution of `works` on the desk's own database.

    Any process may plan through `waker()`; those that called `start()` execute: one at a time on SQLite, any
    number on PostgreSQL.
    """

    def __init__(
        self,
        database: Database,
        works: Iterable[Work],
        every: Iterable[Every] = (),
        *,
        clock: Clock = system_clock,
        heartbeat_seconds: float = 5.0,
        silent_seconds: float = 30.0,
    ) -> None:
        """`silent_seconds`: after how long without heartbeat others run a process's work (PostgreSQL)."""
        by_kind = {work.kind: work for work in works}
        self._plan = Plan(database, by_kind, tuple(every), clock, heartbeat_seconds, silent_seconds)
        self._execution: Execution | None = None

    def prepare(self) -> None:
        """Create or update the engine's own tables and queues: part of migrating, needed to plan and to start.

        Safe to repeat, also from several processes at once.
        """
        from scheduler.engine import setup  # here, because DBOS costs every command a second

        setup.create_tables(self._plan.database)

    def waker(self) -> Waker:
        """Return what goes into the sessionmaker's `info={"waker": …}`; it opens no connection of its own."""
        from scheduler.engine import setup  # here, because DBOS costs every command a second
        from scheduler.engine.planning import Planner  # the same

        client = setup.client(self._plan.database)
        return Planner(client, self._plan.works, self._plan.clock).in_transaction

    def start(self) -> None:
        """Execute from now on, in threads of this process.

        Raises EngineBusy where another process executes on the same SQLite file, RuntimeError where an engine
        runs in this process already.
        """
        from scheduler.engine.executing import Execution  # here, because DBOS costs every command a second

        self._execution = Execution(self._plan)

    def stop(self, seconds: int = 20) -> None:
        """Take no new work, give running work so many seconds to finish, hand back the rest.

        Safe to repeat, and on an engine that was never started.
        """
        if self._execution is not None:
            self._execution.stop(seconds)
            self._execution = None


def table_names() -> frozenset[str]:
    """Tables that the engine keeps for itself in the same SQLite file: no desk's, and made anew anywhere."""
    from scheduler.engine import setup  # here, because DBOS costs every command a second

    return setup.TABLES
