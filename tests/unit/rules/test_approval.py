"""Which bookings wait for the desk, and until when it may decide."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.rules.approval import decide_by, first_status
from scheduler.rules.conditions import Approval
from tests.unit.rules.samples import CONDITIONS

START = datetime(2026, 11, 25, 10, tzinfo=UTC)
ASKS = replace(CONDITIONS, approval=Approval(("purchase",), minutes_before=120))


@pytest.mark.parametrize(
    ("kind", "asked_by", "status"),
    [
        ("purchase", "customer", "pending"),
        ("hours", "customer", "confirmed"),
        ("purchase", "dispatcher", "confirmed"),
        ("purchase", "technician", "confirmed"),
        ("purchase", "system", "confirmed"),
        ("", "customer", "confirmed"),
    ],
)
def test_customers_wait_where_the_desk_approves(kind: str, asked_by: str, status: str) -> None:
    assert first_status(ASKS, kind, asked_by) == status
    assert first_status(CONDITIONS, kind, asked_by) == "confirmed"


@pytest.mark.parametrize(
    ("asked_minutes_before", "by_minutes_before"), [(600, 120), (121, 120), (120, 0), (30, 0), (0, 0)]
)
def test_it_is_decided_two_hours_before_or_until_the_start_when_asked_later(
    asked_minutes_before: int, by_minutes_before: int
) -> None:
    asked_at = START - timedelta(minutes=asked_minutes_before)
    assert decide_by(ASKS, START, asked_at) == START - timedelta(minutes=by_minutes_before)
