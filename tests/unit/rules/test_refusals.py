"""Refusals carry their facts, have stable codes, and the tree in the docstring is the real one."""

import re
from datetime import date, datetime

import pytest

from scheduler.rules import refusals
from scheduler.rules.lead_time import LeadDay, LeadLedger, LeadTime
from tests.unit.rules.moments import utc

AT = utc("2026-11-25T09:00")
LEDGER = LeadLedger(AT, (LeadDay(date(2026, 11, 24), 410), LeadDay(date(2026, 11, 25), 70)), LeadTime(480))


def subclasses(of: type[refusals.Refusal]) -> set[type[refusals.Refusal]]:
    return {of}.union(*(subclasses(each) for each in of.__subclasses__()))


LEAVES = {each for each in subclasses(refusals.Refusal) if "code" in vars(each)} - {refusals.Refusal}


def test_the_docstring_draws_the_whole_tree_with_its_codes() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +([a-z_]+)(?: {2,}|\n)", refusals.__doc__ or ""))
    assert drawn == {each.__name__: each.code for each in LEAVES}


def test_codes_are_unique() -> None:
    assert len({each.code for each in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize(
    ("refusal", "field", "facts"),
    [
        (refusals.InvalidInput("cif", "not_a_cif"), "cif", {"problem": "not_a_cif"}),
        (
            refusals.LeadTimeTooShort(AT, LEDGER),
            "start",
            {
                "earliest_at": AT,
                "days": [
                    {"day": date(2026, 11, 24), "minutes": 410},
                    {"day": date(2026, 11, 25), "minutes": 70},
                ],
            },
        ),
        (refusals.SlotTaken([AT]), "start", {"alternatives": [AT]}),
        (refusals.OutsideHours(), "start", {"alternatives": []}),
        (refusals.TechnicianBusy([AT]), "start", {"alternatives": [AT]}),
        (refusals.OffGrid(30, [AT]), "start", {"grid_minutes": 30, "alternatives": [AT]}),
        (refusals.InThePast(AT), "start", {"earliest_at": AT}),
        (refusals.BeyondHorizon(date(2027, 1, 23)), "start", {"last_on": date(2027, 1, 23)}),
        (refusals.DurationNotOffered((30, 60)), "duration", {"offered": [30, 60]}),
        (
            refusals.NonexistentTime(wall=datetime(2027, 3, 28, 2, 30), zone="Europe/Madrid", next_at=AT),
            "start",
            {"wall": "2027-03-28T02:30", "zone": "Europe/Madrid", "next_at": AT},
        ),
        (
            refusals.AmbiguousTime((AT, AT), wall=datetime(2027, 10, 31, 2, 30), zone="Europe/Madrid"),
            "start",
            {"wall": "2027-10-31T02:30", "zone": "Europe/Madrid", "candidates": [AT, AT]},
        ),
        (refusals.NotEntitled(), "entitlement", {"reasons": []}),
        (refusals.HoursExhausted(60, 30), "entitlement", {"needed_minutes": 60, "left_minutes": 30}),
        (refusals.TopicExcluded("network"), "topic", {"topic": "network", "way_on": "hours"}),
        (refusals.TopicRequired(("dial",)), "topic", {"included": ["dial"]}),
        (
            refusals.MethodNotAccepted("asterisk", "rdp", ("ssh",)),
            "method",
            {"platform": "asterisk", "method": "rdp", "accepted": ["ssh"]},
        ),
        (
            refusals.ToolNotAccepted("AnyDesk", "host", ("ssh",)),
            "host",
            {"tool": "AnyDesk", "accepted": ["ssh"]},
        ),
        (refusals.HostKeyNotConfirmed("SHA256:x"), None, {"fingerprint": "SHA256:x"}),
        (
            refusals.TransitionNotAllowed("done", "cancel", ()),
            None,
            {"status": "done", "verb": "cancel", "allowed": []},
        ),
        (refusals.StaleRevision(3), "rev", {"current_rev": 3}),
        (refusals.HoldExpired([AT]), None, {"alternatives": [AT]}),
        (refusals.IdempotencyConflict(), "idempotency_key", {}),
        (refusals.ChangedMeanwhile("technician"), None, {"what": "technician"}),
        (refusals.TechnicianHasBookings(2), None, {"coming": 2, "history": False}),
        (refusals.LastDispatcher(), None, {}),
        (refusals.OfferClosed("expired"), None, {"state": "expired"}),
        (refusals.NotFound("booking"), None, {"what": "booking"}),
        (refusals.NotAllowed("override_lead_time"), None, {"what": "override_lead_time"}),
        (refusals.SignInFailed(), None, {}),
        (refusals.TooManyTries(AT), None, {"retry_at": AT}),
        (refusals.UnknownFeed(), None, {}),
        (refusals.RevokedFeed(), None, {}),
    ],
)
def test_each_refusal_names_field_and_facts(
    refusal: refusals.Refusal, field: str | None, facts: object
) -> None:
    assert (refusal.field, refusal.facts) == (field, facts)
    assert str(refusal).startswith(f"{refusal.code}(")


def test_a_log_line_shows_code_field_and_facts() -> None:
    assert str(refusals.InvalidInput("host", "too_long", limit=253)) == (
        "invalid_input(field=host, problem=too_long, limit=253)"
    )
    assert str(refusals.SignInFailed()) == "sign_in_failed()"
