"""Passwords of the desk's people: argon2id, and the same time for a known and an unknown person."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import Type

from scheduler.rules.refusals import InvalidInput

MIN_LENGTH = 12
MAX_LENGTH = 256
"""Longer input is refused before hashing, so that nobody makes us hash megabytes."""

# OWASP's second recommendation: 19 MiB per try, so that sixteen threads signing in at once stay under 400 MB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


def hash_password(password: str) -> str:
    """The argon2id hash to keep. Raises InvalidInput("password", "too_short" | "too_long")."""
    if len(password) < MIN_LENGTH:
        raise InvalidInput("password", "too_short", min_length=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise InvalidInput("password", "too_long", max_length=MAX_LENGTH)
    return _hasher.hash(password)


def verify_password(kept: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; `kept` None (an unknown person) takes as long and says no."""
    try:
        _hasher.verify(kept or _nobody(), password[: MAX_LENGTH + 1])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(kept) and len(password) <= MAX_LENGTH


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("the password of nobody")
