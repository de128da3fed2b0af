"""Many targets in one event loop: a bounded number in flight, each far end once at a time, results as they come."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from probes.engine import collect, far_end, probe, utc_now
from probes.gate import IN_FLIGHT, Gate
from probes.logins import Barred, Logins, RememberedLogins
from probes.pace import DEFAULT_LIMITS, Limits
from probes.report import Outcome, Report
from probes.target import Credential, Depth, Target

# Behind a hundred others of the same address a turn may be long in coming.
MANY_LIMITS = replace(DEFAULT_LIMITS, turn=3600.0)
JITTER_SECONDS = 0.2
# What ended connections leave behind is cleared in small portions; left to itself, the collector would stop the
# loop for 40 ms at a time.
TIDY_EVERY = 40


@dataclass(frozen=True, slots=True)
class Job:
    """One target and how far to climb; ``label`` comes back with its report."""

    label: Hashable
    target: Target
    depth: Depth = Depth.FUNCTION

    @property
    def far_end(self) -> tuple[str, int]:
        return self.target.host.casefold(), self.target.port


@dataclass(slots=True)
class Course:
    """How it is going, for people who wait."""

    total: int
    under_way: int = 0
    done: int = 0
    ended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("ok", "warn", "fail", "unknown"), 0))

    def end(self, report: Report) -> None:
        self.done += 1
        self.ended[report.status] += 1


@dataclass(frozen=True, slots=True)
class Many:
    """The limits of a run. ``jitter`` is the longest random wait before a probe, in seconds.

    ``logins`` counts over all the targets of a run, so that a host that is listed for two people is not tried
    more often than one account bears.
    """

    in_flight: int = IN_FLIGHT
    jitter: float = JITTER_SECONDS
    limits: Limits = MANY_LIMITS
    logins: Logins = field(default_factory=lambda: RememberedLogins(utc_now))

    async def run(
        self, jobs: Iterable[Job], course: Course | None = None
    ) -> AsyncGenerator[tuple[Job, Report], None]:
        """Each job with its report, in the order in which they end. Leaving early closes all connections."""
        queues = iter(_by_far_end(jobs))
        ready: asyncio.Queue[tuple[Job, Report] | None] = asyncio.Queue(self.in_flight)
        walk = _Walk(self, queues, Gate(self.in_flight), ready, course or Course(0))
        workers = [asyncio.create_task(walk.work()) for _ in range(self.in_flight)]
        closing = asyncio.create_task(_tell_end(workers, ready))
        try:
            while (ended := await ready.get()) is not None:
                yield ended
            for worker in workers:
                worker.result()  # a fault of ours must not look like the end of the list
        finally:
            for task in (*workers, closing):
                task.cancel()
            await asyncio.gather(*workers, closing, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Walk:
    many: Many
    queues: Iterator[tuple[Job, ...]]
    gate: Gate
    ready: asyncio.Queue[tuple[Job, Report] | None]
    course: Course

    async def work(self) -> None:
        """Take a far end and probe all that is listed for it, one after the other; then the next."""
        for jobs in self.queues:
            refused: set[tuple[str, Credential]] = set()
            for job in jobs:
                await asyncio.sleep(random.uniform(0, self.many.jitter))  # noqa: S311 - spreads load, guards nothing
                await self.ready.put((job, await self._probe(job, refused)))

    async def _probe(self, job: Job, refused: set[tuple[str, Credential]]) -> Report:
        """Whom this far end has refused is not brought there again, however often the list names them."""
        who = (job.target.username, job.target.credential)
        report = await self._climb(job, Barred() if who in refused else self.many.logins)
        login = report.step("login")
        if login is not None and login.outcome is Outcome.FAIL:
            refused.add(who)
        return report

    async def _climb(self, job: Job, logins: Logins) -> Report:
        started_at = utc_now()
        self.course.under_way += 1
        many = self.many
        climbing = probe(job.target, job.depth, limits=many.limits, gate=self.gate, logins=logins)
        try:
            report = Report(job.target.facts(), await collect(climbing), started_at, utc_now())
        finally:
            self.course.under_way -= 1
        self.course.end(report)
        return report


async def _tell_end(
    workers: list[asyncio.Task[None]], ready: asyncio.Queue[tuple[Job, Report] | None]
) -> None:
    await asyncio.wait(workers)
    await ready.put(None)


def _by_far_end(jobs: Iterable[Job]) -> list[tuple[Job, ...]]:
    """Jobs of the same host and port together, in the order in which each far end was named first."""
    groups: dict[tuple[str, int], list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.far_end, []).append(job)
    return [tuple(group) for group in groups.values()]


def run_many(
    jobs: Iterable[Job],
    on_report: Callable[[Job, Report], None],
    many: Many | None = None,
    course: Course | None = None,
) -> None:
    """Run all in an event loop of their own; ``on_report`` sees each as it ends, and what it raises ends the run."""
    jobs = list(jobs)
    prepare({job.target.method for job in jobs})

    async def go() -> None:
        async with aclosing((many or Many()).run(jobs, course)) as reports:
            ended = 0
            async for job, report in reports:
                on_report(job, report)
                ended += 1
                if ended % TIDY_EVERY == 0:
                    gc.collect()

    asyncio.run(go())


def prepare(methods: Iterable[str]) -> None:
    """Do before the loop what would block it: the imports, and the collector's walk over what they made."""
    for method in methods:
        far_end(method)
    gc.collect()
    gc.freeze()
