"""The way of a faulty device back under warranty: which step may follow which."""

from collections.abc import Mapping
from typing import Final

from scheduler.rules.refusals import InvalidInput

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "requested": ("document_sent",),
    "document_sent": ("verified", "resolved_remotely"),
    "verified": ("code_issued",),
    "resolved_remotely": ("closed",),
    "code_issued": ("received",),
    "received": ("closed",),
    "closed": (),
}
"""What may come next after each state; a code exists only where the symptoms were verified."""


def require_step(state: str, step: str) -> None:
    """Raise InvalidInput("step", "step_not_now", state, allowed) unless `step` may follow `state`."""
    allowed = STEPS[state]
    if step not in allowed:
        raise InvalidInput("step", "step_not_now", state=state, allowed=list(allowed))
