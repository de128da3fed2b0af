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


class ChangedMeanwhile(StateRefused):
    """Somebody else saved the same thing after the form was shown; `what` it is."""

    code = "changed_meanwhile"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class TechnicianHasBookings(StateRefused):
    """The person has sessions: `coming` of them are still to be given to somebody else.

    `history` says that there are past ones, for whose sake the person is set aside and not deleted.
    """

    code = "technician_has_bookings"

    def __init__(self, coming: int, *, history: bool = False) -> None:
        self.coming = coming
        self.history = history
        super().__init__(coming=coming, history=history)


class LastDispatcher(StateRefused):
    """Without this person nobody could run the desk."""

    code = "last_dispatcher"


class UndoExpired(StateRefused):
    """A closing can be taken back for some minutes only; they ended at `until` (UTC)."""

    code = "undo_expired"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until=until)


class TooEarly(StateRefused):
    """It can be said from `from_at` (UTC) on."""

    code = "too_early"

    def __init__(self, from_at: datetime) -> None:
        self.from_at = from_at
        super().__init__(from_at=from_at)


class OfferClosed(StateRefused):
    """An offered slot was answered already, or its time has passed; `state` says which.

    accepted, declined, expired, or withdrawn where the wait ended first.
    """

    code = "offer_closed"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(state=state)
