"""Words of the waiting list: its refusals, its fields, and where entries and offers stand."""

from collections.abc import Callable, Mapping
from typing import Any

from scheduler.rules import refusals as r
from web import i18n
from web.i18n import gettext as _

Facts = Mapping[str, Any]


def labels() -> dict[str, str]:
    """Field names in the reader's language."""
    return {
        "from_on": _("First day"),
        "until_on": _("Last day"),
        "waiting": _("Waiting list"),
    }


def free_times(refusal: r.RangeHasFreeTimes) -> tuple[str, str, str]:
    """Nobody needs to wait there."""
    found = "; ".join(i18n.say_short_moment(start_at) for start_at in refusal.alternatives)
    return (
        _("There are free times on these days"),
        _("You can book at once: %(times)s.", times=found),
        _("Book one of them, or wait for days on which nothing is free."),
    )


def offer_closed(refusal: r.OfferClosed) -> tuple[str, str, str]:
    """An answer that comes a second time, or too late."""
    texts = {
        "accepted": _("This slot has been booked with this link already. The confirmation is in your mail."),
        "declined": _("You left this slot to the next in the queue."),
        "expired": _("The time to answer is over, and the slot has gone to the next in the queue."),
        "withdrawn": _("You are no longer on the waiting list, so the slot is not kept any more."),
    }
    return (
        _("This offer has ended"),
        texts.get(refusal.state, texts["expired"]),
        ""
        if refusal.state == "accepted"
        else _("If you are still waiting, we write again when a slot comes free."),
    )


def entry_state(state: str) -> str:
    """Where an entry of the list stands."""
    words = {
        "waiting": _("waiting"),
        "booked": _("booked"),
        "left": _("left the list"),
        "removed": _("taken off the list"),
        "ended": _("nothing came free"),
        "unanswered": _("offers not answered"),
    }
    return words.get(state, state)


def offer_state(state: str) -> str:
    """What became of an offered slot."""
    words = {
        "open": _("asked"),
        "accepted": _("booked"),
        "declined": _("declined"),
        "expired": _("not answered"),
        "withdrawn": _("withdrawn"),
    }
    return words.get(state, state)


def _range_too_long(facts: Facts) -> tuple[str, str]:
    days = facts["longest_days"]
    return _("this is too long a time to wait for one slot."), _("Choose at most %(days)s days.", days=days)


def _waiting_already(_facts: Facts) -> tuple[str, str]:
    return _("you are waiting for these days already."), _("Choose other days, or keep the entry you have.")


PROBLEMS: Mapping[str, Callable[[Facts], tuple[str, str]]] = {
    "range_too_long": _range_too_long,
    "waiting_already": _waiting_already,
}
