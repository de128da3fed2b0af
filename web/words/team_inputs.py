"""Names of the fields of people and hours, and what is wrong with them, beside those of `web.words.inputs`."""

from collections.abc import Callable, Mapping
from typing import Any

from scheduler.rules.hours_text import WEEK, field_of
from web import i18n
from web.i18n import gettext as _

Facts = Mapping[str, Any]
MOST_DAYS = 60


def labels() -> dict[str, str]:
    """Field names in the reader's language."""
    days = {field_of(day): i18n.weekday_name(day) for day in WEEK}
    numbered = {f"day_{number}": _("Closed day") for number in range(MOST_DAYS + 4)}
    named = {f"name_{number}": _("Name of the closed day") for number in range(MOST_DAYS + 4)}
    return {
        **days,
        **numbered,
        **named,
        "buffer_minutes": _("Minutes between sessions"),
        "calendar_url": _("Calendar address"),
        "country": _("Country"),
        "first_on": _("First day"),
        "from_time": _("From"),
        "last_on": _("Last day"),
        "password_again": _("The password again"),
        "region": _("Region"),
        "role": _("Role"),
        "skills": _("Takes"),
        "to_time": _("Until"),
    }


def _ends_before_start(_facts: Facts) -> tuple[str, str]:
    return (
        _("it ends before it starts."),
        _(
            "Write the end after the start. What passes midnight stands on both days: 18:00–24:00, then 00:00–02:00."
        ),
    )


def _outside_desk(_facts: Facts) -> tuple[str, str]:
    return (
        _("the desk is closed in part of that time."),
        _("Stay inside the desk's hours, or change the desk's hours first."),
    )


def _never_open(_facts: Facts) -> tuple[str, str]:
    return _("the desk would never be open."), _("Write hours for one day at least.")


def _unchanged(_facts: Facts) -> tuple[str, str]:
    return _("the session is theirs already."), _("Choose somebody else.")


def _not_skilled(_facts: Facts) -> tuple[str, str]:
    return _("they do not take this kind of PBX."), _("Choose somebody who does, or change what they take.")


def _gone_by(_facts: Facts) -> tuple[str, str]:
    return _("that time has gone by."), _("Choose days to come.")


def _too_long_absence(facts: Facts) -> tuple[str, str]:
    return (
        _("the absence lasts longer than %(days)s days.", days=facts.get("days", 366)),
        _("Check the years; for good, deactivate the person."),
    )


def _overlaps_absence(facts: Facts) -> tuple[str, str]:
    return (
        _(
            "there is an absence already from %(start)s to %(end)s.",
            start=i18n.say_short_moment(facts["starts_at"]),
            end=i18n.say_short_moment(facts["ends_at"]),
        ),
        _("Remove that one first, or choose other days."),
    )


def _taken(_facts: Facts) -> tuple[str, str]:
    return _("somebody else of the desk has it."), _("Give each person an address of their own.")


def _differs(_facts: Facts) -> tuple[str, str]:
    return _("the two passwords differ."), _("Type the same password twice.")


def _twice(_facts: Facts) -> tuple[str, str]:
    return _("this day stands in the list twice."), _("Remove one of the two.")


PROBLEMS: Mapping[str, Callable[[Facts], tuple[str, str]]] = {
    "differs": _differs,
    "ends_before_start": _ends_before_start,
    "gone_by": _gone_by,
    "not_skilled": _not_skilled,
    "unchanged": _unchanged,
    "never_open": _never_open,
    "outside_desk": _outside_desk,
    "overlaps_absence": _overlaps_absence,
    "taken": _taken,
    "too_long_absence": _too_long_absence,
    "twice": _twice,
}
