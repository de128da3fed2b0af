"""How often a login is tried at one target, and what an attempt counts as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probes.logins import (
    WINDOW,
    Allowance,
    Attempt,
    Barred,
    Entry,
    PutOff,
    RememberedLogins,
    Why,
    ending_of,
    logs_in,
)
from probes.report import Step, finding, good
from probes.target import Credential, CredentialKind, Depth, Target

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PASSWORD = Credential(CredentialKind.PASSWORD, "s3creto")


class Hands:
    """A clock that is turned by hand."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


def refuse(book: RememberedLogins, times: int, address: str = "203.0.113.5") -> None:
    for _ in range(times):
        handle = book.begin(address, 22, guessable=True)
        assert isinstance(handle, Attempt)
        book.settle(handle, "refused")


def test_after_some_refusals_the_next_login_waits_until_the_first_is_old(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(logins=20, refusals=3))
    refuse(book, 2)
    hands.now += timedelta(minutes=5)
    refuse(book, 1)
    assert book.begin("203.0.113.5", 22, guessable=True) == PutOff(Why.REFUSALS, NOON + WINDOW)
    hands.now = NOON + WINDOW - timedelta(seconds=1)
    assert isinstance(book.begin("203.0.113.5", 22, guessable=True), PutOff)
    hands.now = NOON + WINDOW
    assert isinstance(book.begin("203.0.113.5", 22, guessable=True), Attempt)


def test_other_ports_and_addresses_count_apart(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(refusals=1))
    refuse(book, 1)
    assert isinstance(book.begin("203.0.113.5", 2222, guessable=True), Attempt)
    assert isinstance(book.begin("203.0.113.6", 22, guessable=True), Attempt)


def test_good_logins_count_as_logins_only(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(logins=5, refusals=1))
    for _ in range(5):
        book.settle(book.begin("203.0.113.5", 22, guessable=True), "accepted")
    assert book.begin("203.0.113.5", 22, guessable=True) == PutOff(Why.RATE, NOON + WINDOW)


def test_an_unsettled_attempt_counts_as_refused_and_a_withdrawn_one_not_at_all(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(refusals=1))
    book.settle(book.begin("203.0.113.5", 22, guessable=True), "withdrawn")
    book.begin("203.0.113.5", 22, guessable=True)
    put_off = book.begin("203.0.113.5", 22, guessable=True)
    assert isinstance(put_off, PutOff)
    assert put_off.why is Why.REFUSALS


def test_keys_lock_nobody_out(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(logins=9, refusals=1))
    for _ in range(9):
        handle = book.begin("203.0.113.5", 22, guessable=False)
        assert isinstance(handle, Attempt)
        book.settle(handle, "refused")
    assert isinstance(book.begin("203.0.113.5", 22, guessable=False), PutOff)


@pytest.mark.parametrize(
    ("step", "ssh", "vnc"),
    [
        (None, "withdrawn", "refused"),
        (good("login"), "accepted", "accepted"),
        (finding("login", "vnc_unencrypted"), "accepted", "accepted"),
        (finding("login", "auth_failed"), "refused", "refused"),
        (finding("login", "auth_timeout"), "refused", "refused"),
        (finding("login", "password_withheld"), "withdrawn", "refused"),
        (finding("login", "credential_unusable"), "withdrawn", "refused"),
    ],
)
def test_how_an_attempt_ended(step: Step | None, ssh: str, vnc: str) -> None:
    """A VNC server counts every visit that did not log in."""
    assert (ending_of(step, "ssh"), ending_of(step, "vnc")) == (ssh, vnc)


def test_only_a_climb_that_can_carry_a_credential_is_an_attempt() -> None:
    host = "203.0.113.5"
    assert logs_in(Target("ssh", host, 22, "soporte", PASSWORD), Depth.LOGIN)
    assert not logs_in(Target("ssh", host, 22, "soporte", PASSWORD), Depth.IDENTIFY)
    assert not logs_in(Target("ssh", host, 22), Depth.FUNCTION)
    assert logs_in(Target("vnc", host, 5900), Depth.FUNCTION)
    assert not logs_in(Target("web", host, 443, "a", PASSWORD, platform=None), Depth.FUNCTION)


def test_a_name_with_many_addresses_is_written_down_for_each_or_for_none(hands: Hands) -> None:
    """Else a name that names the victim second would be counted elsewhere."""
    book = RememberedLogins(hands, Allowance(refusals=1))
    refuse(book, 1, "203.0.113.6")
    target = Target("ssh", "pbx.example.com", 22, "soporte", PASSWORD)
    assert isinstance(Entry(book, target).open(["203.0.113.5", "203.0.113.6"]), PutOff)
    assert Entry(book, target).open(["203.0.113.5"]) is None


def test_only_the_address_that_was_reached_was_tried(hands: Hands) -> None:
    book = RememberedLogins(hands, Allowance(refusals=1))
    target = Target("ssh", "pbx.example.com", 22, "soporte", PASSWORD)
    entry = Entry(book, target)
    assert entry.open(["203.0.113.5", "203.0.113.6"]) is None
    entry.close("203.0.113.6", finding("login", "auth_failed"))
    assert Entry(book, target).open(["203.0.113.5"]) is None
    assert isinstance(Entry(book, target).open(["203.0.113.6"]), PutOff)


def test_who_is_barred_is_not_let_in_by_waiting() -> None:
    assert Barred().begin("203.0.113.5", 22, guessable=True).until is None
