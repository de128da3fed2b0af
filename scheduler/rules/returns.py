"""The way of a faulty device back under warranty: which step may follow which."""

from collections.abc import Mapping
from typing import Final

from scheduler.rules.refusals import InvalidInput

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "requested": ("document_sent", "rejected"),
    "document_sent": ("verified", "resolved_remotely", "rejected"),
    "verified": ("code_issued", "rejected"),
    "resolved_remotely": ("closed",),
    "code_issued": ("received",),
    "received": ("closed",),
    "closed": (),
}
"""What may come next after each state; a code exists only where the symptoms were verified.

Until there is a code a return may be rejected, which closes it: the way it ended is its last step.
"""
REJECTED: Final = "rejected"


def require_step(state: str, step: str) -> None:
    """Raise InvalidInput("step", "step_not_now", state, allowed) unless `step` may follow `state`."""
    allowed = STEPS[state]
    if step not in allowed:
        raise InvalidInput("step", "step_not_now", state=state, allowed=list(allowed))


def state_after(step: str) -> str:
    """Where a return stands once a step is taken."""
    return "closed" if step == REJECTED else step
