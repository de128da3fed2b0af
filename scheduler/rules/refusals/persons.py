"""Not for this person, or not for anybody we know."""

from datetime import datetime

from scheduler.rules.refusals.base import Refusal


class PersonRefused(Refusal):
    """Not for this person, or not for anybody we know."""


class NotFound(PersonRefused):
    """There is no such thing, or not for this person: the two look alike on purpose."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class NotAllowed(PersonRefused):
    """The person is known, but this is not theirs to do."""

    code = "not_allowed"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class SignInFailed(PersonRefused):
    """Wrong or used-up code, password or link: never says which."""

    code = "sign_in_failed"


class TooManyTries(PersonRefused):
    """A rate limit was reached; try again at `retry_at`."""

    code = "too_many_tries"

    def __init__(self, retry_at: datetime) -> None:
        self.retry_at = retry_at
        super().__init__(retry_at=retry_at)


class UnknownFeed(PersonRefused):
    """No calendar has this secret."""

    code = "unknown_feed"


class RevokedFeed(PersonRefused):
    """The calendar's secret was revoked; the reader should forget the address."""

    code = "revoked_feed"
