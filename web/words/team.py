"""What is said when the desk's own people and hours cannot be changed as asked."""

from typing import Any

from scheduler.rules import refusals as r
from web.i18n import gettext as _
from web.i18n import ngettext

Words = tuple[str, str, str]


def changed_meanwhile(_refusal: r.ChangedMeanwhile) -> Words:
    """Two forms at once."""
    return (
        _("Somebody else changed this meanwhile"),
        _("It was saved by another person after you opened the page, so nothing of yours was saved."),
        _("Look at it as it is now and change it again."),
    )


def has_bookings(refusal: r.TechnicianHasBookings) -> Words:
    """Whoever has sessions is not deleted."""
    if refusal.coming:
        return (
            _("There are sessions to come"),
            ngettext(
                "There is %(num)s session booked with this person.",
                "There are %(num)s sessions booked with this person.",
                refusal.coming,
            ),
            _(
                "Give them to somebody else first (below, under sessions to come), then deactivate the person."
            ),
        )
    return (
        _("This person has given sessions"),
        _("Their history would lose its technician."),
        _("Deactivate the person instead: nobody can book them, and they cannot sign in."),
    )


def last_dispatcher(_refusal: Any) -> Words:
    """The last one who can let anybody else in."""
    return (
        _("This is the only dispatcher"),
        _("Without a dispatcher nobody could run the desk."),
        _("Make somebody else a dispatcher first."),
    )
