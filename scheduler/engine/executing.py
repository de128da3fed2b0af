"""One process executing: from the lock it takes to the work it hands back."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta

from dbos import DBOS
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from scheduler.engine import setup
from scheduler.engine.heartbeat import Silence, beat
from scheduler.engine.lock import lock_for
from scheduler.engine.planning import WAKE_UP, Planner
from scheduler.engine.reconcile import Reconciler
from scheduler.engine.ticking import Ticking
from scheduler.engine.work import Every, Plan, Work

LOG = logging.getLogger(__name__)

RETRY_AFTER = timedelta(seconds=60)
"""When work that raised is tried again. It is a fault of ours, so it stays in the log until repaired."""

RETENTION_SECONDS = 3600.0

_ONE = threading.Lock()
"""DBOS is one per process: a second execution would replace the works of the first."""


class Execution:
    """Running from construction to `stop`."""

    def __init__(self, plan: Plan) -> None:
        setup.refuse_foreign_settings()
        self._plan = plan
        self._running: set[str] = set()
        self._stopping = threading.Event()
        self._ticking = Ticking()
        if not _ONE.acquire(blocking=False):
            raise RuntimeError("this process already runs an engine")
        with ExitStack() as stack:
            stack.callback(_ONE.release)
            lock = lock_for(plan.database)
            if lock is not None:
                stack.callback(lock.release)
            self._own = setup.engine_database(plan.database)
            stack.callback(self._own.dispose)
            self._planner = Planner(setup.client(self._own), plan.works, plan.clock)
            self._reconciler = _reconciler(plan, self._own, self._planner)
            self._launch()
            self._held = stack.pop_all()

    def stop(self, seconds: int) -> None:
        """End in good order; see `Engine.stop`."""
        self._stopping.set()
        self._ticking.stop(5.0)
        setup.hush()
        # DBOS looks once a second whether it may end; with nothing running there is nothing to wait for.
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=seconds if self._running else 0)
        with self._held:
            self._reconciler.release_own(still_running=set(self._running))

    def _launch(self) -> None:
        setup.quiet()
        DBOS(config=setup.configuration(self._own))
        try:
            DBOS.workflow(name=WAKE_UP)(self._workflow())
            DBOS.launch()
            self._start_ticking()
        except BaseException:
            self._ticking.stop(0)
            DBOS.destroy(destroy_registry=True)
            raise

    def _start_ticking(self) -> None:
        started_at = self._plan.clock()

        def heartbeat() -> None:
            with self._own.begin() as connection:
                beat(connection, started_at, self._plan.clock())

        def reconcile() -> None:
            self._reconciler.run(set(self._running))

        heartbeat()
        for every in (
            Every("heartbeat", self._plan.heartbeat_seconds, heartbeat),
            Every("reconcile", self._plan.heartbeat_seconds, reconcile),
            Every("retention", RETENTION_SECONDS, self._reconciler.forget_ended),
            *self._plan.every,
        ):
            self._ticking.start(every)

    def _workflow(self) -> Callable[[str, int, int], None]:
        """Make the one workflow: a plain function, since DBOS hangs attributes on it."""

        def wake_up(kind: str, row_id: int, rev: int) -> None:
            flow = str(DBOS.workflow_id)
            self._running.add(flow)
            try:
                self._run(kind, row_id, rev)
            finally:
                self._running.discard(flow)

        return wake_up

    def _run(self, kind: str, row_id: int, rev: int) -> None:
        work = self._plan.works.get(kind)
        if work is None:
            LOG.error("nobody here does work of kind %r (row %d, rev %d)", kind, row_id, rev)
            return
        # Claimed work that had not begun when the stop came is planned anew, for whoever executes next.
        handed_back = self._stopping.is_set()
        next_at = self._soonest() if handed_back else self._next_try(work, row_id, rev)
        if next_at is not None:
            with Session(self._own) as session:
                self._planner.retry(session, kind, row_id, rev, next_at)

    def _next_try(self, work: Work, row_id: int, rev: int) -> datetime | None:
        try:
            next_at = work.run(row_id, rev)
        except Exception:
            LOG.exception("%s %d at rev %d failed; next try in %s", work.kind, row_id, rev, RETRY_AFTER)
            return self._soonest() + RETRY_AFTER
        return None if next_at is None else max(next_at, self._soonest())

    def _soonest(self) -> datetime:
        # An id of this second may be this very workflow's, and would be ignored as a repetition.
        return self._plan.clock() + timedelta(seconds=1)


def _reconciler(plan: Plan, own: Database, planner: Planner) -> Reconciler:
    # The lock file proves that whoever else was here is gone; elsewhere only silence can.
    silence = Silence(0.0 if own.dialect.name == "sqlite" else plan.silent_seconds)
    return Reconciler(plan, own, setup.client(own), planner, silence)
