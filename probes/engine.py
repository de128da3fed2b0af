"""Climb a target's ladder: name and port here, for every method; the rest in the file of the far end.

A far end cannot make a probe raise: what it does becomes a step. At most ``gate.IN_FLIGHT`` targets are
probed at once in this process, and one at a time per address and port: parallel logins lock accounts.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, cast

from probes import opinions
from probes.dial import Dialled, DialRefused, Resolver, Way, connect, find_way
from probes.gate import GATE, Gate, TurnTimeout
from probes.ladders import steps_for
from probes.logins import Entry, Logins, login_put_off, logs_in
from probes.pace import DEFAULT_LIMITS, Limits, Pace
from probes.report import Outcome, Report, Step, finding, good
from probes.target import Depth, Target

log = logging.getLogger("probes")

# method → the module of its far end, imported when first needed: asyncssh alone costs 0.2 s.
FAR_ENDS = {"ssh": "probes.ssh", "rdp": "probes.rdp", "vnc": "probes.vnc", "web": "probes.web"}


class FarEnd(Protocol):
    """The shape of a far end's module."""

    def climb(self, dialled: Dialled, target: Target, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
        """The steps after ``port``, on the connected socket, which it closes; ends after a failure."""
        ...


def utc_now() -> datetime:
    """The present instant, aware UTC."""
    return datetime.now(UTC)


async def probe(
    target: Target,
    depth: Depth = Depth.FUNCTION,
    *,
    limits: Limits = DEFAULT_LIMITS,
    resolver: Resolver | None = None,
    gate: Gate = GATE,
    logins: Logins | None = None,
) -> AsyncGenerator[Step, None]:
    """Climb and yield each step as it ends; rungs that were not reached come last, as skipped.

    ``logins`` keeps count of what is tried where; without it nothing is counted and nothing put off.
    Never raises for what the far end does; a fault of ours becomes ``probe_bug`` and a traceback in the log.
    """
    left = list(steps_for(target.method, depth, target.platform))
    try:
        climb = _Climb(target, depth, limits, logins)
        async with aclosing(climb.steps(resolver, gate)) as steps:
            async for step in steps:
                left.remove(step.name)
                yield step
    except Exception:
        log.exception("probe of %s:%s failed through a fault of ours", ascii(target.host), target.port)
        if left:
            yield finding(left.pop(0), "probe_bug")
    for name in left:
        yield Step(name, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class _Climb:
    """One climb: the way, our turn, the attempt written down, and the far end's own rungs."""

    target: Target
    depth: Depth
    limits: Limits
    logins: Logins | None

    async def steps(self, resolver: Resolver | None, gate: Gate) -> AsyncGenerator[Step, None]:
        target, limits, pace = self.target, self.limits, Pace(self.limits)
        try:
            way = await find_way(
                target.host, target.port, target.allow, timeout=limits.dns, resolver=resolver
            )
        except DialRefused as refused:
            yield finding("name", refused.code, refused.facts, pace.lap())
            return
        addresses = [] if way.literal else [str(address) for address in way.addresses]
        yield good("name", {"host": target.host, "addresses": addresses}, pace.lap())
        if "port" not in steps_for(target.method, self.depth, target.platform):
            return  # connecting without going on to the login would do harm there
        try:
            async with gate.turn((way.addresses[0], way.port), limits.turn):  # noqa: SIM117
                # The total starts here: waiting for our own turn must not shorten the far end's time.
                async with aclosing(self._counted(way, Pace(limits))) as steps:
                    async for step in steps:
                        yield step
        except TurnTimeout:
            yield finding("port", "turn_timeout", {"host": target.host, "port": target.port}, pace.lap())

    async def _counted(self, way: Way, pace: Pace) -> AsyncGenerator[Step, None]:
        """With the attempt written down before anything is connected that could carry a credential.

        A climb that is broken off leaves it unsettled, which counts as a refusal: better one too few than one
        too many.
        """
        target, depth, entry, put_off = self.target, self.depth, None, None
        if self.logins is not None and logs_in(target, depth):
            entry = Entry(self.logins, target)
            put_off = entry.open(map(str, way.addresses))
        if put_off is not None:
            if target.method == "vnc":  # a visit without a login is what locks us out there
                yield login_put_off(target, put_off)
                return
            depth = Depth.IDENTIFY
        seen: dict[str, Step] = {}
        async with aclosing(self._on(way, depth, pace)) as steps:
            async for step in steps:
                seen[step.name] = step
                yield step
        if put_off is not None and all(step.outcome is not Outcome.FAIL for step in seen.values()):
            yield login_put_off(target, put_off)
        elif entry is not None:
            entry.close(_reached(seen), seen.get("login"))

    async def _on(self, way: Way, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
        target = self.target
        try:
            dialled = await connect(way, timeout=pace.limits.tcp)
        except DialRefused as refused:
            facts = {**refused.facts, "source_address": target.source_address}
            yield finding("port", refused.code, facts, pace.lap())
            return
        try:
            yield good("port", {"address": str(dialled.address), "port": dialled.port}, pace.lap())
            if depth > Depth.REACH:
                async with aclosing(self._beyond(dialled, depth, pace)) as steps:
                    async for step in steps:
                        yield step
        finally:
            dialled.sock.close()

    async def _beyond(self, dialled: Dialled, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
        """The far end's own rungs; a failure that another client should confirm is held until it has."""
        target = self.target
        climbing = far_end(target.method).climb(dialled, target, depth, pace)
        async with aclosing(climbing) as steps:
            async for step in steps:
                if depth >= Depth.LOGIN and opinions.is_doubtful(target, step):
                    break
                yield step
            else:
                return
        dialled.sock.close()  # one at a time: the far end may count its visitors
        yield await opinions.confirmed(step, dialled, target, pace, self.logins)


def _reached(seen: Mapping[str, Step]) -> str | None:
    """The address that we were connected to."""
    port = seen.get("port")
    return str(port.facts["address"]) if port is not None and port.outcome is Outcome.OK else None


def far_end(method: str) -> FarEnd:
    """The module of a method, imported by the first who asks: do so before many probes share a loop."""
    return cast("FarEnd", importlib.import_module(FAR_ENDS[method]))


def run(
    target: Target,
    depth: Depth = Depth.FUNCTION,
    *,
    on_step: Callable[[Step], None] | None = None,
    clock: Callable[[], datetime] = utc_now,
    limits: Limits = DEFAULT_LIMITS,
    resolver: Resolver | None = None,
    gate: Gate = GATE,
    logins: Logins | None = None,
) -> Report:
    """Probe from any thread, in an event loop of its own; ``on_step`` sees each step as it ends.

    An exception of ``on_step`` stops the probe and reaches the caller. Not for use inside a running loop.
    """
    started_at = clock()
    climbing = probe(target, depth, limits=limits, resolver=resolver, gate=gate, logins=logins)
    steps = asyncio.run(collect(climbing, on_step))
    return Report(target.facts(), steps, started_at, clock())


async def collect(
    climbing: AsyncGenerator[Step, None], on_step: Callable[[Step], None] | None = None
) -> tuple[Step, ...]:
    """All steps of a climb; it is closed whatever ``on_step`` raises."""
    steps = []
    async with aclosing(climbing):
        async for step in climbing:
            steps.append(step)
            if on_step is not None:
                on_step(step)
    return tuple(steps)
