"""What each refusal says to a person, in the reader's language: the one table from refusal to status and words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from scheduler.rules import refusals as r
from web import i18n
from web.i18n import gettext as _
from web.words import team as team_words
from web.words import waiting as waiting_words
from web.words.inputs import invalid_words

Words = tuple[str, str, str]
"""Title, text and remedy."""


class Entry(NamedTuple):
    """A row of the table: the HTTP status, and the words made from the refusal's facts."""

    status: int
    words: Callable[[Any], Words]


def forbidden() -> Words:
    """Known, but not theirs."""
    return (
        _("This is not yours to see"),
        _("You are signed in, but this page belongs to somebody else."),
        _("If it should be yours, ask the desk."),
    )


def missing() -> Words:
    """Nothing here, or nothing for this person: the two look alike on purpose."""
    return (
        _("There is nothing here"),
        _("The address may be mistyped, or the link may be an old one."),
        _("Check the link in our last e-mail to you, or start again from the first page."),
    )


def _nearest(refusal: Any) -> str:
    found = [i18n.say_short_moment(start_at) for start_at in refusal.alternatives]
    if not found:
        return _("Choose another time from the list.")
    return _("Nearest free times: %(times)s.", times="; ".join(found))


def _lead_time(refusal: r.LeadTimeTooShort) -> Words:
    minutes = sum(entry.minutes for entry in refusal.ledger.days)
    return (
        _("That is too soon"),
        _(
            "We ask for %(hours)s of notice, to prepare the session without moving other people's.",
            hours=i18n.say_duration(minutes),
        ),
        _("You can book from %(moment)s.", moment=i18n.say_moment(refusal.earliest_at)),
    )


def _slot_taken(refusal: r.SlotTaken) -> Words:
    return (
        _("That time has just been taken"),
        _("Somebody else booked it while you were choosing."),
        _nearest(refusal),
    )


def _outside_hours(refusal: r.OutsideHours) -> Words:
    return (
        _("We do not attend then"),
        _("The session does not fit into our support hours or the technician's."),
        _nearest(refusal),
    )


def _technician_busy(refusal: r.TechnicianBusy) -> Words:
    return (
        _("The technician is busy then"),
        _("Something else stands in the technician's calendar at that time."),
        _nearest(refusal),
    )


def _off_grid(refusal: r.OffGrid) -> Words:
    text = _("Sessions start every %(minutes)s minutes.", minutes=refusal.facts["grid_minutes"])
    return _("Sessions do not start at that minute"), text, _nearest(refusal)


def _in_the_past(refusal: r.InThePast) -> Words:
    return (
        _("That time has gone by"),
        _("A session cannot start in the past."),
        _("You can book from %(moment)s.", moment=i18n.say_moment(refusal.earliest_at)),
    )


def _beyond_horizon(refusal: r.BeyondHorizon) -> Words:
    return (
        _("That is too far ahead"),
        _("We do not plan that far yet."),
        _("Choose a day up to %(day)s.", day=i18n.say_day(refusal.last_on)),
    )


def _duration(refusal: r.DurationNotOffered) -> Words:
    offered = i18n.say_list((i18n.say_duration(minutes) for minutes in refusal.offered), "or")
    return (
        _("We do not offer that length"),
        _("A session lasts %(offered)s.", offered=offered),
        _("Choose one of these lengths."),
    )


def _nonexistent(refusal: r.NonexistentTime) -> Words:
    return (
        _("That hour does not exist"),
        _("The clocks go forward that night and skip it."),
        _("The clocks go on at %(moment)s.", moment=i18n.say_moment(refusal.next_at)),
    )


def _ambiguous(refusal: r.AmbiguousTime) -> Words:
    both = i18n.say_list((_utc_hint(moment) for moment in refusal.candidates), "or")
    return (
        _("That hour comes twice"),
        _("The clocks go back that night, so the hour is shown twice."),
        _("Say which one: %(moments)s.", moments=both),
    )


def _utc_hint(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def _not_entitled(refusal: r.NotEntitled) -> Words:
    reasons = " ".join(reason_text(reason.code, reason.facts) for reason in refusal.reasons)
    return (
        _("Your support does not cover this"),
        reasons or _("We find no valid support for your company."),
        _("Our sales department can help you with hours or a maintenance contract."),
    )


def reason_text(code: str, facts: Mapping[str, Any]) -> str:
    """One reason why an entitlement does not allow something, as a sentence."""
    words = _REASONS.get(code)
    return words(facts) if words else _("This support cannot be used here.")


_REASONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "expired": lambda facts: _("It ended on %(day)s.", day=i18n.say_day(facts["valid_until"])),
    "not_yet_valid": lambda facts: _("It begins on %(day)s.", day=i18n.say_day(facts["valid_from"])),
    "serial_missing": lambda _facts: _("The serial number of the equipment is missing."),
    "purchase_date_missing": lambda _facts: _("The date of the purchase is missing."),
    "topic_excluded": lambda _facts: _("Free support does not include that topic."),
    "topic_required": lambda _facts: _("Choose one of the topics that free support includes."),
    "purchases_too_low": lambda facts: _(
        "Purchases have not passed %(amount)s.", amount=i18n.say_euros(facts["minimum_cents"])
    ),
    "contract_missing": lambda _facts: _("There is no reseller contract in force."),
    "hours_exhausted": lambda facts: _(
        "The session takes %(needed)s and %(left)s are left.",
        needed=i18n.say_hours(facts["needed_minutes"]),
        left=i18n.say_hours(facts["left_minutes"]),
    ),
}


def _hours_exhausted(refusal: r.HoursExhausted) -> Words:
    return (
        _("Not enough hours left"),
        _(
            "The session takes %(needed)s and your bundle has %(left)s left.",
            needed=i18n.say_hours(refusal.needed_minutes),
            left=i18n.say_hours(refusal.left_minutes),
        ),
        _("Choose a shorter session, or buy another bundle from our sales department."),
    )


def _topic_excluded(_refusal: r.TopicExcluded) -> Words:
    return (
        _("Free support does not include that"),
        _("Free support helps to install and start up the equipment; that topic is not part of it."),
        _("Choose an included topic, or book with an hour bundle or a maintenance contract."),
    )


def _topic_required(_refusal: r.TopicRequired) -> Words:
    return (
        _("What is it about?"),
        _("Free support covers certain topics only, so we need to know yours."),
        _("Choose one of the included topics."),
    )


def _method(refusal: r.MethodNotAccepted) -> Words:
    accepted = i18n.say_list(map(i18n.say_method, refusal.accepted), "or")
    return (
        _("Not by this access method"),
        _(
            "We attend %(platform)s by %(accepted)s.",
            platform=i18n.say_platform(refusal.platform),
            accepted=accepted,
        ),
        _("Choose %(accepted)s.", accepted=accepted),
    )


def _tool(refusal: r.ToolNotAccepted) -> Words:
    accepted = i18n.say_list(map(i18n.say_method, refusal.accepted), "or")
    return (
        _("We do not use %(tool)s", tool=refusal.tool),
        _(
            "We do not connect through %(tool)s or other commercially licensed remote-control tools.",
            tool=refusal.tool,
        ),
        _("Give us access by %(accepted)s instead.", accepted=accepted),
    )


def _host_key(refusal: r.HostKeyNotConfirmed) -> Words:
    return (
        _("The server's key is not confirmed"),
        _("Until somebody confirms that the server is yours, we send it no password or key."),
        _("Compare the fingerprint %(fingerprint)s and confirm it.", fingerprint=refusal.fingerprint),
    )


def _transition(refusal: r.TransitionNotAllowed) -> Words:
    return (
        _("This cannot be done any more"),
        _("The booking is now: %(status)s.", status=status_word(refusal.status)),
        _("Reload the page to see where it stands."),
    )


def status_word(status: str) -> str:
    """How people call a booking's status."""
    words = {
        "held": _("held"),
        "pending": _("waiting for approval"),
        "confirmed": _("confirmed"),
        "in_session": _("in session"),
        "done": _("done"),
        "no_show": _("nobody came"),
        "cancelled": _("cancelled"),
        "expired": _("expired"),
    }
    return words.get(status, status)


def _stale(_refusal: r.StaleRevision) -> Words:
    return (
        _("Somebody changed this booking"),
        _("It changed after you opened the page, so nothing was saved."),
        _("Look at the booking as it is now and decide again."),
    )


def _hold_expired(refusal: r.HoldExpired) -> Words:
    return (
        _("We no longer hold that time"),
        _("A chosen time is kept for a few minutes only, and they are over."),
        _nearest(refusal),
    )


def _undo_expired(refusal: r.UndoExpired) -> Words:
    return (
        _("It can no longer be taken back"),
        _(
            "A closing can be undone for ten minutes; they ended at %(time)s.",
            time=i18n.say_time(refusal.until),
        ),
        _("Ask a dispatcher to correct the hours."),
    )


def _too_early(refusal: r.TooEarly) -> Words:
    return (
        _("It is too early to say so"),
        _("We wait some minutes for the customer before we write that nobody was there."),
        _("You can say it from %(time)s.", time=i18n.say_time(refusal.from_at)),
    )


def _idempotency(_refusal: r.IdempotencyConflict) -> Words:
    return (
        _("This request was sent before, with another content"),
        _("The Idempotency-Key has been used with another body."),
        _("Use a new key for a new request."),
    )


def _not_found(_refusal: r.NotFound) -> Words:
    return missing()


def _not_allowed(_refusal: r.NotAllowed) -> Words:
    return forbidden()


def _sign_in_failed(_refusal: r.SignInFailed) -> Words:
    return (
        _("We could not sign you in"),
        _("What you typed is wrong, was used already or is too old."),
        _("Check it and try again, or ask for a new code."),
    )


def _too_many(refusal: r.TooManyTries) -> Words:
    return (
        _("Too many tries"),
        _("To protect your account we count the tries, and there were too many."),
        _("Try again after %(time)s.", time=i18n.say_time(refusal.retry_at)),
    )


def _unknown_feed(_refusal: r.UnknownFeed) -> Words:
    return (
        _("There is no calendar at this address"),
        _("The address is mistyped or incomplete."),
        _("Copy it again from the subscription card of your agenda."),
    )


def _revoked_feed(_refusal: r.RevokedFeed) -> Words:
    return (
        _("This calendar address was withdrawn"),
        _("Another address took its place."),
        _("Copy the new one from the subscription card of your agenda."),
    )


def _invalid(refusal: r.InvalidInput) -> Words:
    return invalid_words(refusal.field or "", refusal.problem, refusal.facts)


TABLE: Mapping[type[r.Refusal], Entry] = {
    r.InvalidInput: Entry(422, _invalid),
    r.LeadTimeTooShort: Entry(422, _lead_time),
    r.SlotTaken: Entry(409, _slot_taken),
    r.OutsideHours: Entry(422, _outside_hours),
    r.TechnicianBusy: Entry(409, _technician_busy),
    r.OffGrid: Entry(422, _off_grid),
    r.InThePast: Entry(422, _in_the_past),
    r.BeyondHorizon: Entry(422, _beyond_horizon),
    r.RangeHasFreeTimes: Entry(409, waiting_words.free_times),
    r.DurationNotOffered: Entry(422, _duration),
    r.NonexistentTime: Entry(422, _nonexistent),
    r.AmbiguousTime: Entry(422, _ambiguous),
    r.NotEntitled: Entry(403, _not_entitled),
    r.HoursExhausted: Entry(409, _hours_exhausted),
    r.TopicExcluded: Entry(422, _topic_excluded),
    r.TopicRequired: Entry(422, _topic_required),
    r.MethodNotAccepted: Entry(422, _method),
    r.ToolNotAccepted: Entry(422, _tool),
    r.HostKeyNotConfirmed: Entry(409, _host_key),
    r.TransitionNotAllowed: Entry(409, _transition),
    r.StaleRevision: Entry(409, _stale),
    r.HoldExpired: Entry(409, _hold_expired),
    r.ChangedMeanwhile: Entry(409, team_words.changed_meanwhile),
    r.TechnicianHasBookings: Entry(409, team_words.has_bookings),
    r.LastDispatcher: Entry(409, team_words.last_dispatcher),
    r.IdempotencyConflict: Entry(422, _idempotency),
    r.UndoExpired: Entry(409, _undo_expired),
    r.TooEarly: Entry(409, _too_early),
    r.OfferClosed: Entry(410, waiting_words.offer_closed),
    r.NotFound: Entry(404, _not_found),
    r.NotAllowed: Entry(403, _not_allowed),
    r.SignInFailed: Entry(401, _sign_in_failed),
    r.TooManyTries: Entry(429, _too_many),
    r.UnknownFeed: Entry(404, _unknown_feed),
    r.RevokedFeed: Entry(410, _revoked_feed),
}
