"""Time limits: of each phase and of the whole climb."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds each phase may take; ``total`` counts from the first packet, ``turn`` is the wait before it.

    ``opinion`` is for another client's try at RDP or VNC before a red light; with 0 none is asked.
    """

    dns: float = 5.0
    tcp: float = 5.0
    banner: float = 10.0
    kex: float = 15.0
    auth: float = 15.0
    command: float = 10.0
    picture: float = 20.0
    opinion: float = 15.0
    total: float = 45.0
    turn: float = 120.0


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Pace:
    """The stop-watch of one climb; must be made inside its event loop."""

    limits: Limits
    ends: float = field(init=False)
    lapped: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = asyncio.get_running_loop().time() + self.limits.total
        self.lapped = time.perf_counter()

    def within(self, seconds: float) -> asyncio.Timeout:
        """A time-out of a phase that never outlives the total."""
        return asyncio.timeout_at(min(asyncio.get_running_loop().time() + seconds, self.ends))

    def left(self, seconds: float) -> float:
        """Seconds a phase may still take."""
        return max(0.0, min(seconds, self.ends - asyncio.get_running_loop().time()))

    def late_code(self, code: str) -> str:
        """What a time-out means: the phase's own code, or that the whole climb ran out of time."""
        return "total_timeout" if asyncio.get_running_loop().time() >= self.ends else code

    def lap(self) -> float:
        """Milliseconds since the previous lap."""
        before, self.lapped = self.lapped, time.perf_counter()
        return (self.lapped - before) * 1000
