"""The shipped conditions say what the desk publishes; a wrong file is refused by its key."""

from typing import Any

import pytest

from scheduler.rules.conditions import Approval, Conditions, ConditionsError, Waiting, parse_conditions
from scheduler.rules.lead_time import LeadTime
from tests.unit.rules.samples import CONDITIONS, raw_conditions


def test_the_shipped_file_holds_the_published_conditions() -> None:
    assert CONDITIONS.purchase_days == 30
    assert CONDITIONS.reseller_minimum_cents == 6_000 * 100
    assert dict(CONDITIONS.methods) == {
        "asterisk": ("ssh",),
        "elastix": ("ssh",),
        "3cx": ("rdp", "vnc", "web"),
    }
    assert dict(CONDITIONS.lead) == dict.fromkeys(
        ("purchase", "hours", "maintenance", "reseller"), LeadTime(8 * 60, "attention")
    )
    assert {"TeamViewer", "AnyDesk"} <= set(CONDITIONS.tools_not_accepted)
    assert [topic.code for topic in CONDITIONS.topics_included] == [
        "installation",
        "devices",
        "dial",
        "terminals",
    ]
    assert [topic.code for topic in CONDITIONS.topics_excluded] == ["dialplan", "operating_system", "network"]
    assert CONDITIONS.red_light["purchase"] == "release"
    assert CONDITIONS.check_stages == ("booked", "h24", "h8", "h2", "m30")


def test_the_shipped_numbers_are_the_defaults() -> None:
    raw = raw_conditions()
    plain = {
        key: value
        for key, value in raw.items()
        if not isinstance(value, dict) and key != "tools_not_accepted"
    }
    for key in plain:
        if not key.startswith("topics_"):
            del raw[key]
    assert parse_conditions(raw) == CONDITIONS


def test_conditions_cannot_be_changed_under_way() -> None:
    with pytest.raises(TypeError):
        CONDITIONS.lead["hours"] = LeadTime(0)  # type: ignore[index]
    with pytest.raises(AttributeError):
        CONDITIONS.hold_minutes = 0  # type: ignore[misc]


def changed(path: str, value: Any) -> Conditions:
    raw = raw_conditions()
    *tables, key = path.split(".")
    target: Any = raw
    for table in tables:
        target = target[int(table)] if isinstance(target, list) else target[table]
    target[key] = value
    return parse_conditions(raw)


def test_changed_values_are_taken() -> None:
    assert changed("lead.hours", {"minutes": 60, "counted": "elapsed"}).lead["hours"] == LeadTime(
        60, "elapsed"
    )
    assert changed("lead.hours", {"minutes": 60}).lead["hours"] == LeadTime(60, "attention")
    assert changed("grid_minutes", 15).grid_minutes == 15
    assert changed("durations_minutes", [45]).durations_minutes == (45,)
    assert changed("tools_not_accepted", []).tools_not_accepted == ()
    assert changed("check_stages", ["m30"]).check_stages == ("m30",)
    assert changed("topics_excluded", []).topics_excluded == ()


TOPIC = {"code": "a", "es": "A", "en": "A"}


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("leed", {}, "leed", "not known"),
        ("lead", 480, "lead", "must be a table"),
        ("lead.gold", {"minutes": 1}, "lead.gold", "not known"),
        ("lead.hours", 480, "lead.hours", "must be a table"),
        ("lead.hours", {}, "lead.hours.minutes", "is missing"),
        ("lead.hours", {"minutes": 1, "hours": 8}, "lead.hours.hours", "not known"),
        ("lead.hours.minutes", -1, "lead.hours.minutes", "between 0 and"),
        ("lead.hours.minutes", "480", "lead.hours.minutes", "whole number"),
        ("lead.hours.minutes", True, "lead.hours.minutes", "whole number"),
        ("lead.hours.counted", "business", "lead.hours.counted", "attention"),
        ("methods.asterisk", ["telnet"], "methods.asterisk", "some of: ssh"),
        ("methods.asterisk", [], "methods.asterisk", "some of: ssh"),
        ("methods.asterisk", "ssh", "methods.asterisk", "list of words"),
        ("methods.freepbx", ["ssh"], "methods.freepbx", "not known"),
        ("tools_not_accepted", ["TeamViewer", "TeamViewer"], "tools_not_accepted", "twice"),
        ("tools_not_accepted", ["TeamViewer", 7], "tools_not_accepted", "list of words"),
        ("tools_not_accepted", [" "], "tools_not_accepted", "list of words"),
        ("tools_not_accepted", ["VNC"], "tools_not_accepted", "too short"),
        ("topics_included", "all", "topics_included", "list of topics"),
        ("topics_included", ["dial"], "topics_included.1", "must be a table"),
        ("topics_included", [TOPIC, TOPIC], "topics_included", "twice"),
        ("topics_included", [{"code": "a", "es": "A"}], "topics_included.1.en", "is missing"),
        ("topics_included", [TOPIC | {"fr": "A"}], "topics_included.1.fr", "not known"),
        ("topics_included", [TOPIC | {"es": " "}], "topics_included.1.es", "must be text"),
        ("topics_included", [TOPIC | {"code": 1}], "topics_included.1.code", "must be text"),
        ("topics_included.0.code", "dialplan", "topics_excluded", "also included: dialplan"),
        ("red_light.hours", "wait", "red_light.hours", "release"),
        ("no_show.hours", "wait", "no_show.hours", "consume"),
        ("durations_minutes", [], "durations_minutes", "list of minutes"),
        ("durations_minutes", 30, "durations_minutes", "list of minutes"),
        ("durations_minutes", [60, 30], "durations_minutes", "must grow"),
        ("durations_minutes", [30, 30], "durations_minutes", "must grow"),
        ("durations_minutes", [1441], "durations_minutes", "between 5 and 1440"),
        ("grid_minutes", 20, "grid_minutes", "15 or 30"),
        ("grid_minutes", 45, "grid_minutes", "between 15 and 30"),
        ("hold_minutes", 0, "hold_minutes", "between 1 and 60"),
        ("horizon_days", 2.5, "horizon_days", "whole number"),
        ("check_stages", ["h3"], "check_stages", "some of: booked"),
    ],
)
def test_a_wrong_entry_is_named(path: str, value: Any, key: str, problem: str) -> None:
    with pytest.raises(ConditionsError, match=problem) as caught:
        changed(path, value)
    assert caught.value.key == key
    assert str(caught.value).startswith(f"conditions: {key}: ")


@pytest.mark.parametrize("key", ["lead", "methods", "tools_not_accepted", "topics_included", "red_light"])
def test_what_has_no_default_must_be_there(key: str) -> None:
    raw = raw_conditions()
    del raw[key]
    with pytest.raises(ConditionsError) as caught:
        parse_conditions(raw)
    assert (caught.value.key, caught.value.problem) == (key, "is missing")


def test_no_kind_of_entitlement_is_forgotten() -> None:
    raw = raw_conditions()
    del raw["lead"]["reseller"]
    with pytest.raises(ConditionsError, match="is missing") as caught:
        parse_conditions(raw)
    assert caught.value.key == "lead.reseller"


def test_the_waiting_list_keeps_its_defaults_and_takes_other_numbers() -> None:
    raw = raw_conditions()
    del raw["waiting"]
    assert parse_conditions(raw).waiting == CONDITIONS.waiting == Waiting()
    assert CONDITIONS.waiting.answer == LeadTime(30, "attention")
    raw["waiting"] = {"answer_minutes": 45, "counted": "elapsed"}
    assert parse_conditions(raw).waiting == Waiting(answer_minutes=45, counted="elapsed")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (3, "waiting"),
        ({"answer_minutes": 4}, "waiting.answer_minutes"),
        ({"answer_minutes": "30"}, "waiting.answer_minutes"),
        ({"counted": "nights"}, "waiting.counted"),
        ({"entries_per_customer": 0}, "waiting.entries_per_customer"),
        ({"longest_days": 366}, "waiting.longest_days"),
        ({"unanswered_offers": True}, "waiting.unanswered_offers"),
        ({"order": "random"}, "waiting.order"),
    ],
)
def test_a_wrong_waiting_list_is_named(given: Any, key: str) -> None:
    with pytest.raises(ConditionsError) as caught:
        parse_conditions(raw_conditions() | {"waiting": given})
    assert caught.value.key == key


def test_nobody_waits_for_approval_unless_the_desk_says_so() -> None:
    raw = raw_conditions()
    assert CONDITIONS.approval == Approval() == Approval((), "release", 120)
    del raw["approval"]
    assert parse_conditions(raw).approval == Approval()
    raw["approval"] = {"needed_for": ["purchase", "hours"], "unanswered": "confirm", "minutes_before": 60}
    assert parse_conditions(raw).approval == Approval(("purchase", "hours"), "confirm", 60)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("purchase", "approval"),
        ({"needed_for": "purchase"}, "approval.needed_for"),
        ({"needed_for": ["gold"]}, "approval.needed_for"),
        ({"needed_for": ["hours", "hours"]}, "approval.needed_for"),
        ({"unanswered": "wait"}, "approval.unanswered"),
        ({"minutes_before": -1}, "approval.minutes_before"),
        ({"minutes_before": "120"}, "approval.minutes_before"),
        ({"needed_for": ["hours"], "minutes_before": 481}, "approval.minutes_before"),
        ({"who": "elena"}, "approval.who"),
    ],
)
def test_a_wrong_approval_is_named(given: Any, key: str) -> None:
    with pytest.raises(ConditionsError) as caught:
        parse_conditions(raw_conditions() | {"approval": given})
    assert caught.value.key == key
