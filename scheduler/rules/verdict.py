"""From the steps of a check to a verdict, when to check, and what follows from a red light.

Two promises: **unknown is never green** (only the platform's own proof is), and
**ours is never red**: a bug of ours, a check that was put off, or a resolver that
did not answer must not cost a customer their hour.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from scheduler.rules.intervals import require_aware

Verdict = Literal["ready", "at_risk", "not_ready", "unknown"]
Light = Literal["ok", "warn", "fail", "waiting"]
Outcome = Literal["ok", "warn", "fail", "skipped"]

OUTCOMES: Final = ("ok", "warn", "fail", "skipped")

OURS_OR_PASSING: Final = frozenset(
    {"probe_bug", "turn_timeout", "login_put_off", "total_timeout", "throttled", "dns_timeout", "dns_failed"}
)
"""Codes that say nothing certain about the customer's system.

probe_bug, turn_timeout, login_put_off and total_timeout are ours; throttled passes. A name
server that does not answer or answers with an error may as well be our own
resolver: with it down, every customer would turn red and lose the hour. A name
that does not exist (dns_nxdomain) is the domain's own answer, and red.
"""

NOT_JUDGED: Final = ("picture",)
"""Steps that say nothing of the access: what goes wrong with them is a note and never a light."""

PICTURE_STAGES: Final = frozenset({"h2", "m30", "on_demand"})
"""When a picture of the screen helps: whoever connects soon, or is repairing now, wants to see it."""

_PROOF: Final[dict[tuple[str, str], str]] = {
    ("asterisk", "ssh"): "asterisk",
    ("elastix", "ssh"): "asterisk",
    ("3cx", "rdp"): "login",
    ("3cx", "vnc"): "framebuffer",
    ("3cx", "web"): "services",
}


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step of a check: its name, ok | warn | fail | skipped, and the code if something is to be said."""

    name: str
    outcome: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Judgment:
    """The verdict and the code of the step that decided it; no code when ready."""

    verdict: Verdict
    code: str | None = None


def proof_step(platform: str, method: str) -> str | None:
    """The step that alone proves the platform usable by this method; None: nothing can, so never green.

    By SSH the PBX itself answers (asterisk); by RDP the account logs in (login);
    by VNC a picture of the screen arrives (framebuffer); on the web panel the
    PBX reports its services (services).
    """
    return _PROOF.get((platform, method))


def judge_steps(steps: Iterable[StepOutcome], proof: str | None = "asterisk") -> Judgment:
    """The verdict over a check's steps, in their order; those of NOT_JUDGED are left out.

    - a failed step of the customer's side → not_ready, with its code;
    - else a failed step that is ours or passing → unknown, with its code;
    - else a warning → at_risk, with its code: a host key seen for the first time
      warns and, until somebody confirms it, may leave the login untried;
    - else the proof step ok → ready: it cannot succeed if what it stands on did
      not, so a skipped step (no name to resolve) does not matter any more;
    - else unknown, with the code of the first step that has one.

    Raises ValueError for an outcome that does not exist: guessing could make it green.
    """
    steps = tuple(steps)
    for step in steps:
        if step.outcome not in OUTCOMES:
            raise ValueError(f"no such outcome: {step.outcome!r}")
    steps = tuple(step for step in steps if step.name not in NOT_JUDGED)
    failed = [step for step in steps if step.outcome == "fail"]
    theirs = [step for step in failed if step.code not in OURS_OR_PASSING]
    warned = [step for step in steps if step.outcome == "warn"]
    for verdict, deciding in _ranked(theirs, failed, warned):
        if deciding:
            return Judgment(verdict, deciding[0].code)
    if any(step.name == proof and step.outcome == "ok" for step in steps):
        return Judgment("ready")
    return Judgment("unknown", next((step.code for step in steps if step.code), None))


def _ranked(
    theirs: list[StepOutcome], failed: list[StepOutcome], warned: list[StepOutcome]
) -> tuple[tuple[Verdict, list[StepOutcome]], ...]:
    return ("not_ready", theirs), ("unknown", failed), ("at_risk", warned)


_LIGHTS: Final[dict[str, Light]] = {
    "ready": "ok",
    "at_risk": "warn",
    "not_ready": "fail",
    "unknown": "waiting",
}


def light(verdict: str) -> Light:
    """The light that every page, mail and calendar shows. Raises KeyError for a verdict that does not exist."""
    return _LIGHTS[verdict]


BEFORE_START: Final[dict[str, timedelta]] = {
    "h24": timedelta(hours=24),
    "h8": timedelta(hours=8),
    "h2": timedelta(hours=2),
    "m30": timedelta(minutes=30),
}
"""How long before the start each planned stage is due, in real hours also on a DST night."""


def planned_stages(
    starts_at: datetime, now: datetime, stages: Collection[str] = ("booked", *BEFORE_START)
) -> tuple[tuple[str, datetime], ...]:
    """The checks to plan for a booking made or moved now: (stage, due at), by due time.

    `booked` is due at once; of the others only those still ahead; none when the
    start has come. `stages` are those that the conditions ask for. Raises
    ValueError for a naive moment.
    """
    starts_at, now = require_aware(starts_at, "starts_at"), require_aware(now, "now")
    if starts_at <= now:
        return ()
    due = (("booked", now), *((stage, starts_at - before) for stage, before in BEFORE_START.items()))
    return tuple((stage, at) for stage, at in due if stage in stages and (stage == "booked" or at > now))


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from a red light: keep the hour, or release it at `at` (UTC; now or later) if still red."""

    action: Literal["hold", "release"]
    at: datetime | None = None


def after_red(
    policy: str,
    starts_at: datetime,
    now: datetime,
    release_before: timedelta = timedelta(minutes=120),
    booked_at: datetime | None = None,
) -> Consequence:
    """What follows when the access of a booking is red now.

    By policy "release" the hour is freed `release_before` the start, at once if
    that moment has passed. It is kept by policy "hold"; once the start has
    come, since people are at work; and when it was booked (or moved) later than
    the moment of release, since its customer never had the time to repair.
    Raises ValueError for another policy or a naive moment.
    """
    if policy not in ("release", "hold"):
        raise ValueError(f"no such policy: {policy!r}")
    starts_at, now = require_aware(starts_at, "starts_at"), require_aware(now, "now")
    release_at = starts_at - release_before
    too_late = booked_at is not None and require_aware(booked_at, "booked_at") >= release_at
    if policy == "hold" or now >= starts_at or too_late:
        return Consequence("hold")
    return Consequence("release", max(release_at, now))
