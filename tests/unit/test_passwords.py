import pytest

from scheduler.identity.passwords import MAX_LENGTH, hash_password, verify_password
from scheduler.rules.refusals import InvalidInput


def test_a_password_opens_only_its_own_hash() -> None:
    kept = hash_password("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert verify_password(kept, "correct horse battery")
    assert not verify_password(kept, "correct horse batterY")


def test_the_same_password_is_salted() -> None:
    assert hash_password("correct horse battery") != hash_password("correct horse battery")


@pytest.mark.parametrize("kept", [None, "", "not a hash"])
def test_an_unknown_person_never_comes_in(kept: str | None) -> None:
    assert not verify_password(kept, "the password of nobody")


def test_an_overlong_password_is_refused_and_never_matches() -> None:
    with pytest.raises(InvalidInput) as refused:
        hash_password("x" * (MAX_LENGTH + 1))
    assert refused.value.facts["max_length"] == MAX_LENGTH
    assert not verify_password(hash_password("x" * MAX_LENGTH), "x" * (MAX_LENGTH + 1))


def test_a_short_password_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too_short"):
        hash_password("short")
