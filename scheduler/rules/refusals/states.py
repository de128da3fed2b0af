"""The thing has moved on, or others depend on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from scheduler.rules.refusals.base import Refusal


class StateRefused(Refusal):
    """The thing is no longer, or not yet, in a state that allows it."""


class TransitionNotAllowed(StateRefused):
    """A booking in this status does not know the verb; `allowed` are those it knows."""

    code = "transition_not_allowed"

    def __init__(self, status: str, verb: str, allowed: Sequence[str]) -> None:
        self.status = status
        self.verb = verb
        self.allowed = tuple(allowed)
        super().__init__(status=status, verb=verb, allowed=list(allowed))


class StaleRevision(StateRefused):
    """Somebody changed the booking meanwhile; look at the current one and decide again."""

    code = "stale_revision"

    def __init__(self, current_rev: int) -> None:
        self.current_rev = current_rev
        super().__init__(field="rev", current_rev=current_rev)


class HoldExpired(StateRefused):
    """The hold ran out before it was confirmed; the alternatives are starts near the slot that was held."""

    code = "hold_expired"

    def __init__(self, alternatives: Iterable[datetime] = ()) -> None:
        self.alternatives = tuple(alternatives)
        super().__init__(alternatives=list(self.alternatives))


class IdempotencyConflict(StateRefused):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_conflict"

    def __init__(self) -> None:
        super().__init__(field="idempotency_key")
