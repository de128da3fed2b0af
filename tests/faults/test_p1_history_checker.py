"""The checker itself: each kind of lie is planted once and must be found, and the truth must pass."""

from dataclasses import replace

from tests.faults.history import Event, Row, Span, judge

SLOT, NEXT = Span(1, 0, 3600), Span(1, 3600, 7200)


def booked(id_: int, begun: float, ended: float, span: Span = SLOT) -> Event:
    row = Row(id_, 1, "confirmed", span, f"t{id_}")
    return Event("book", f"t{id_}", begun, ended, 201, span, got=row)


def taken(begun: float, ended: float, span: Span = SLOT) -> Event:
    return Event("book", "refused", begun, ended, 409, span, code="slot_taken")


def cancelled(id_: int, begun: float, ended: float) -> Event:
    row = Row(id_, 2, "cancelled", SLOT, "c")
    return Event("cancel", "c", begun, ended, 200, booking=id_, seen_rev=1, got=row)


FIRST = booked(1, 0, 1)
ROW = Row(1, 1, "confirmed", SLOT, "t1")
GONE = replace(ROW, rev=2, status="cancelled")


def test_the_truth_passes() -> None:
    events = [FIRST, taken(0.5, 2), cancelled(1, 3, 4), booked(2, 3.5, 5)]
    assert judge(events, [GONE, Row(2, 1, "confirmed", SLOT, "t2")]).wrong == []


def test_two_in_one_slot_are_found_even_when_both_are_gone_again() -> None:
    events = [FIRST, booked(2, 2, 3), cancelled(1, 4, 5), cancelled(2, 4, 5)]
    found = judge(events, [GONE, replace(GONE, id=2, tag="t2")])
    assert len(found.double) == 1


def test_overlapping_rows_are_found() -> None:
    other = Row(2, 1, "confirmed", Span(1, 1800, 5400), "t2")
    assert judge([FIRST, replace(booked(2, 0, 1), got=other)], [ROW, other]).double


def test_a_refusal_for_nothing_is_found() -> None:
    assert judge([FIRST, taken(2, 3, NEXT)], [ROW]).unexplained
    assert judge([FIRST, cancelled(1, 2, 3), taken(4, 5)], [GONE]).unexplained
    assert judge([taken(0, 1), booked(1, 2, 3)], [ROW]).unexplained


def test_a_lost_booking_is_found() -> None:
    assert judge([FIRST], []).lost
    assert judge([FIRST], [replace(ROW, span=NEXT)]).lost
    assert judge([FIRST, cancelled(1, 2, 3)], [ROW]).lost


def test_a_booking_that_nobody_asked_for_is_found() -> None:
    assert judge([], [ROW]).ghosts


def test_an_unanswered_request_may_have_happened_or_not() -> None:
    silent = Event("book", "t1", 0, 1, 0, SLOT)
    assert judge([silent], []).wrong == []
    assert judge([silent, taken(2, 3)], [ROW]).wrong == []
    assert judge([silent, taken(2, 3)], []).unexplained


def test_a_move_that_was_not_answered_may_have_freed_the_slot() -> None:
    silent = Event("move", "m", 2, 3, 0, NEXT, booking=1, seen_rev=1)
    moved = Row(1, 2, "confirmed", NEXT, "t1")
    assert judge([FIRST, silent, booked(2, 4, 5)], [moved, Row(2, 1, "confirmed", SLOT, "t2")]).wrong == []


def test_a_stale_answer_needs_somebody_who_changed_it() -> None:
    stale = Event("cancel", "s", 4, 5, 409, booking=1, seen_rev=1, code="stale_revision")
    assert judge([FIRST, stale], [ROW]).unexplained
    moved = replace(ROW, rev=2, span=NEXT)
    mover = Event("move", "m", 2, 3, 200, NEXT, booking=1, seen_rev=1, got=moved)
    assert judge([FIRST, mover, stale], [moved]).wrong == []


def test_an_unknown_answer_is_never_explained() -> None:
    assert judge([Event("book", "x", 0, 1, 422, SLOT, code="lead_time_too_short")], []).unexplained
