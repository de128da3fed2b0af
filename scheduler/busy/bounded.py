"""Read a foreign calendar in a child process with limits, and say what came of it."""

import json
import logging
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scheduler.rules.intervals import Interval

log = logging.getLogger(__name__)

CPU_SECONDS = 2
MEMORY_BYTES = 200_000_000
WALL_SECONDS = 30.0
"""On a crowded machine two seconds of work take longer; a child that does not even work ends here."""
_START = "from scheduler.busy.child import main; main()"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a calendar: the times it keeps its owner busy in `window`."""

    window: Interval
    zone: str
    """Reads times that name no zone."""
    domain: str
    """The desk's: events whose UID is ours are left out."""
    charset: str = ""
    """As the server declared it; empty: UTF-8."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The busy times, or the code of why they cannot be known."""

    busy: tuple[Interval, ...] = ()
    code: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def read_calendar(
    body: bytes, question: Question, cpu_seconds: int = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES
) -> Answer:
    """The busy times of the calendar in `body`. Never raises for what the calendar holds.

    Codes: html, not_calendar, cut_short, charset, too_frequent, too_many, too_heavy, invalid.
    """
    asked = {
        "from": question.window.start.timestamp(),
        "to": question.window.end.timestamp(),
        "zone": question.zone,
        "domain": question.domain,
        "charset": question.charset,
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_bytes,
    }
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _START, json.dumps(asked)],
            input=body,
            capture_output=True,
            timeout=WALL_SECONDS,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(code="too_heavy")
    return _answer(ended)


def _environment() -> dict[str, str]:
    """Where to find the code, and nothing of ours: no key and no address is within a calendar's reach."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}


def _answer(ended: subprocess.CompletedProcess[bytes]) -> Answer:
    if ended.returncode == 0:
        said = json.loads(ended.stdout)
        if "code" in said:
            return Answer(code=said["code"], facts=said["facts"])
        spans = (map(_utc, pair) for pair in said["busy"])
        return Answer(tuple(Interval(start, end) for start, end in spans))
    last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
    log.info("a calendar could not be read: exit %s, %s", ended.returncode, last[:80])
    heavy = ended.returncode < 0 or last == "MemoryError"
    return Answer(code="too_heavy" if heavy else "invalid")


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
