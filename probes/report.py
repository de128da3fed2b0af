"""What a probe found: steps, in order, each with its evidence. Plain values, safe to store and to show.

Facts hold what the far end said and what was asked of it, never a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from probes.codes import CODES

Facts = Mapping[str, Any]
Status = Literal["ok", "warn", "fail", "unknown"]


class Outcome(StrEnum):
    """How a step ended. ``skipped`` also stands for "not judged": it never counts as green."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder: ``code`` is None when there is nothing to remedy, ``ms`` is wall time.

    ``picture`` is a PNG of the screen, of the rung ``picture`` alone; no report in text or JSON carries it.
    """

    name: str
    outcome: Outcome
    code: str | None = None
    facts: Facts = field(default_factory=dict)
    ms: float = 0.0
    picture: bytes | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.code is not None and self.code not in CODES:
            raise ValueError(f"unknown probe code {self.code!r}")

    def as_dict(self) -> dict[str, Any]:
        """The step as JSON-able values."""
        return {
            "name": self.name,
            "outcome": str(self.outcome),
            "code": self.code,
            "facts": dict(self.facts),
            "ms": round(self.ms, 1),
        }


def finding(name: str, code: str, facts: Facts | None = None, ms: float = 0.0) -> Step:
    """A step with something to remedy; its outcome follows from the severity of the code."""
    outcomes = {"warn": Outcome.WARN, "fail": Outcome.FAIL, "unknown": Outcome.SKIPPED}
    return Step(name, outcomes[CODES[code].severity], code, facts or {}, ms)


def good(name: str, facts: Facts | None = None, ms: float = 0.0) -> Step:
    """A step proven by the protocol itself."""
    return Step(name, Outcome.OK, None, facts or {}, ms)


@dataclass(frozen=True, slots=True)
class Report:
    """A finished probe. ``target`` has the public facts of the target; instants are aware UTC."""

    target: Facts
    steps: tuple[Step, ...]
    started_at: datetime
    finished_at: datetime

    @property
    def status(self) -> Status:
        """The worst that was seen; ``unknown`` unless every step of the ladder was proven."""
        outcomes = {step.outcome for step in self.steps}
        if Outcome.FAIL in outcomes:
            return "fail"
        if Outcome.WARN in outcomes:
            return "warn"
        return "ok" if outcomes == {Outcome.OK} else "unknown"

    @property
    def code(self) -> str | None:
        """The code to act on: of the first failed step, else of the first with any code."""
        failed = [step for step in self.steps if step.outcome is Outcome.FAIL]
        return next((step.code for step in [*failed, *self.steps] if step.code), None)

    def step(self, name: str) -> Step | None:
        """The step of that name, if the ladder has it."""
        return next((step for step in self.steps if step.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; instants in ISO 8601 with offset."""
        return {
            "target": dict(self.target),
            "status": self.status,
            "code": self.code,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "steps": [step.as_dict() for step in self.steps],
        }
