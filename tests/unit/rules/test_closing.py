"""Which hours a session's end proposes, from when it is a no-show, and until when it can be taken back."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.closing import (
    UNDO_FOR,
    no_show_from,
    no_show_minutes,
    proposed_minutes,
    refuse_early_no_show,
    refuse_late_undo,
    reopened_minutes,
)
from scheduler.rules.conditions import NoShowPolicy
from scheduler.rules.refusals import TooEarly, UndoExpired
from tests.unit.rules.moments import utc
from tests.unit.rules.samples import CONDITIONS

START = utc("2026-11-24T09:30")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("worked", "proposed"), [(0, 15), (1, 15), (15, 15), (16, 30), (38, 45), (45, 45), (46, 60), (200, 60)]
)
def test_quarters_begun_are_proposed_and_never_more_than_booked(worked: int, proposed: int) -> None:
    assert proposed_minutes(START, START + timedelta(minutes=worked), 60) == proposed


def test_without_a_clock_what_was_booked_is_proposed() -> None:
    assert proposed_minutes(None, START, 90) == 90


@given(st.integers(0, 5000), st.sampled_from([30, 60, 90, 120]))
def test_a_proposal_is_always_a_quarter_that_can_be_closed(worked: int, booked: int) -> None:
    minutes = proposed_minutes(START, START + timedelta(minutes=worked), booked)
    assert minutes % 15 == 0
    assert 0 < minutes <= booked


def test_a_closing_is_taken_back_for_ten_minutes_and_no_longer() -> None:
    refuse_late_undo(START, START + UNDO_FOR)
    with pytest.raises(UndoExpired) as refused:
        refuse_late_undo(START, START + UNDO_FOR + SECOND)
    assert refused.value.facts == {"until": START + timedelta(minutes=10)}


def test_nobody_is_missed_before_the_grace_is_over() -> None:
    at = no_show_from(CONDITIONS, START)
    assert at == START + timedelta(minutes=15)
    refuse_early_no_show(CONDITIONS, START, at)
    with pytest.raises(TooEarly) as refused:
        refuse_early_no_show(CONDITIONS, START, at - SECOND)
    assert refused.value.facts == {"from_at": at}


def test_the_grace_is_the_conditions() -> None:
    patient = replace(CONDITIONS, no_show_grace_minutes=30)
    with pytest.raises(TooEarly):
        refuse_early_no_show(patient, START, no_show_from(CONDITIONS, START))


def test_naive_moments_are_bugs() -> None:
    naive = START.replace(tzinfo=None)
    for call in (
        lambda: proposed_minutes(naive, START, 60),
        lambda: refuse_late_undo(naive, START),
        lambda: refuse_early_no_show(CONDITIONS, START, naive),
    ):
        with pytest.raises(ValueError, match="zone"):
            call()


@pytest.mark.parametrize(("policy", "cost"), [("consume", 60), ("release", 0)])
def test_a_missed_session_costs_what_the_conditions_say(policy: NoShowPolicy, cost: int) -> None:
    conditions = replace(CONDITIONS, no_show=MappingProxyType({**CONDITIONS.no_show, "hours": policy}))
    assert no_show_minutes(conditions, "hours", 60) == cost


@pytest.mark.parametrize(("balance", "held"), [(0, 0), (30, 30), (60, 60), (600, 60)])
def test_an_undo_sets_aside_what_is_there(balance: int, held: int) -> None:
    assert reopened_minutes(60, balance) == held
