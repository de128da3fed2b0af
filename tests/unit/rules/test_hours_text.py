"""Hours of a day as people type them."""

from datetime import time

import pytest

from scheduler.rules.hours_text import outside, read_week, stored, write_day
from scheduler.rules.refusals import InvalidInput

MORNING, AFTERNOON = (time(9), time(14)), (time(15), time(18))


@pytest.mark.parametrize(
    "typed",
    ["09:00-14:00, 15:00-18:00", "9–14; 15–18", "9 a 14 y 15 a 18", "9.00 - 14.00/15h - 18h00",
    "15-18,9-14", " 9h-14 , 15-18,"],
)  # fmt: skip
def test_hours_are_read_however_people_write_them(typed: str) -> None:
    assert read_week({1: typed, 2: " "}) == {1: (MORNING, AFTERNOON)}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("18-09", "ends_before_start"),
        ("9-9", "ends_before_start"),
        ("9-14, 13-18", "overlap"),
        ("25-26", "not_a_time"),
        ("9:75-10", "not_a_time"),
        ("morning", "not_a_time"),
        ("9", "not_a_time"),
        ("9-14," * 60, "too_long"),
    ],
)
def test_what_cannot_be_hours_names_its_day(typed: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_week({3: typed})
    assert (refused.value.field, refused.value.problem) == ("hours_3", problem)


def test_hours_are_written_as_they_are_read_and_kept_as_json() -> None:
    week = read_week({5: "9-14,15-24"})
    assert write_day(week[5]) == "09:00–14:00, 15:00–24:00"
    assert stored(week) == {"5": [["09:00", "14:00"], ["15:00", "24:00"]]}
    assert read_week({5: write_day(week[5])}) == week


@pytest.mark.parametrize(
    ("own", "day"),
    [("10-13", None), ("9-14,15-24", None), ("8-13", 1), ("13-16", 1), ("15-18,20-22", None), ("", None)],
)
def test_own_hours_lie_inside_the_desks(own: str, day: int | None) -> None:
    assert outside(read_week({1: own}), read_week({1: "9-14,15-24"})) == day


def test_a_day_on_which_the_desk_is_closed_is_outside() -> None:
    assert outside(read_week({6: "9-10"}), read_week({1: "9-14"})) == 6
