"""Verdicts: unknown is never green, ours is never red; stages and what follows from red."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.verdict import (
    OURS_OR_PASSING,
    Consequence,
    Judgment,
    StepOutcome,
    after_red,
    judge_steps,
    light,
    planned_stages,
    proof_step,
)
from tests.unit.rules.moments import MADRID, utc

LADDER = ("name", "port", "service", "kex", "host_key", "login", "command", "asterisk")


def ladder(**changes: str) -> list[StepOutcome]:
    """The SSH ladder, all ok but for `name="outcome"` or `name="outcome:code"`; after a failure all are skipped."""
    steps, stopped = [], False
    for name in LADDER:
        outcome, _, code = changes.get(name, "skipped" if stopped else "ok").partition(":")
        steps.append(StepOutcome(name, outcome, code or None))
        stopped = stopped or outcome == "fail"
    return steps


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (ladder(), Judgment("ready")),
        (ladder(name="skipped"), Judgment("ready")),
        (ladder(port="fail:tcp_refused"), Judgment("not_ready", "tcp_refused")),
        (ladder(name="fail:dns_nxdomain"), Judgment("not_ready", "dns_nxdomain")),
        (ladder(login="fail:auth_failed"), Judgment("not_ready", "auth_failed")),
        (ladder(host_key="warn:hostkey_unknown"), Judgment("at_risk", "hostkey_unknown")),
        (
            ladder(host_key="warn:hostkey_unknown", login="skipped", command="skipped", asterisk="skipped"),
            Judgment("at_risk", "hostkey_unknown"),
        ),
        (
            ladder(host_key="warn:hostkey_unknown", login="fail:auth_failed"),
            Judgment("not_ready", "auth_failed"),
        ),
        (ladder(login="fail:probe_bug"), Judgment("unknown", "probe_bug")),
        (ladder(port="fail:throttled"), Judgment("unknown", "throttled")),
        (ladder(name="fail:dns_timeout"), Judgment("unknown", "dns_timeout")),
        (ladder(service="fail:probe_bug", login="fail:auth_failed"), Judgment("not_ready", "auth_failed")),
        (ladder(host_key="warn:hostkey_unknown", login="fail:probe_bug"), Judgment("unknown", "probe_bug")),
        (ladder(asterisk="skipped"), Judgment("unknown")),
        (
            ladder(login="skipped:turn_timeout", command="skipped", asterisk="skipped"),
            Judgment("unknown", "turn_timeout"),
        ),
        (ladder()[:-1], Judgment("unknown")),
        ([], Judgment("unknown")),
        ([StepOutcome("port", "fail")], Judgment("not_ready")),
    ],
)
def test_verdicts_of_the_ssh_ladder(steps: list[StepOutcome], expected: Judgment) -> None:
    assert judge_steps(steps) == expected


@pytest.mark.parametrize(
    "code",
    ["probe_bug", "turn_timeout", "login_put_off", "total_timeout", "throttled", "dns_timeout", "dns_failed"],
)
def test_what_is_ours_or_passes_costs_nobody_the_hour(code: str) -> None:
    assert judge_steps(ladder(name=f"fail:{code}")) == Judgment("unknown", code)


OUTCOMES = st.sampled_from(["ok", "warn", "fail", "skipped"])
CODES = st.sampled_from([None, "auth_failed", "hostkey_unknown", *sorted(OURS_OR_PASSING)])
STEPS = st.lists(st.builds(StepOutcome, st.sampled_from(LADDER), OUTCOMES, CODES), max_size=8)


@given(STEPS)
def test_green_needs_the_proof_and_nothing_against_it(steps: list[StepOutcome]) -> None:
    if judge_steps(steps).verdict == "ready":
        assert StepOutcome("asterisk", "ok", None) in [StepOutcome(s.name, s.outcome) for s in steps]
        assert not {step.outcome for step in steps} & {"warn", "fail"}


@given(STEPS)
def test_red_needs_a_failure_that_is_not_ours(steps: list[StepOutcome]) -> None:
    theirs = [step for step in steps if step.outcome == "fail" and step.code not in OURS_OR_PASSING]
    assert (judge_steps(steps).verdict == "not_ready") is bool(theirs)


@given(STEPS)
def test_without_a_proof_nothing_is_green(steps: list[StepOutcome]) -> None:
    assert judge_steps(steps, proof=None).verdict != "ready"


def test_an_unknown_outcome_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such outcome: 'green'"):
        judge_steps([StepOutcome("asterisk", "green")])


def test_each_platform_and_method_has_its_proof() -> None:
    assert proof_step("asterisk", "ssh") == proof_step("elastix", "ssh") == "asterisk"
    assert [proof_step("3cx", method) for method in ("rdp", "vnc", "web")] == [
        "login",
        "framebuffer",
        "services",
    ]
    assert proof_step("asterisk", "rdp") is None
    assert judge_steps([StepOutcome("login", "ok")], proof_step("3cx", "rdp")) == Judgment("ready")


def test_lights() -> None:
    shown = [light(verdict) for verdict in ("ready", "at_risk", "not_ready", "unknown")]
    assert shown == ["ok", "warn", "fail", "waiting"]
    with pytest.raises(KeyError):
        light("green")


START = utc("2026-11-25T09:00")


@pytest.mark.parametrize(
    ("ahead", "stages"),
    [
        (timedelta(days=3), ["booked", "h24", "h8", "h2", "m30"]),
        (timedelta(hours=24), ["booked", "h8", "h2", "m30"]),
        (timedelta(hours=8, seconds=1), ["booked", "h8", "h2", "m30"]),
        (timedelta(minutes=31), ["booked", "m30"]),
        (timedelta(minutes=5), ["booked"]),
        (timedelta(0), []),
        (-timedelta(minutes=5), []),
    ],
)
def test_only_stages_still_ahead_are_planned(ahead: timedelta, stages: list[str]) -> None:
    planned = planned_stages(START, START - ahead)
    assert [stage for stage, _ in planned] == stages
    assert [at for _, at in planned] == sorted(at for _, at in planned)
    assert all(START - ahead <= at < START for _, at in planned)


def test_due_moments_are_real_hours_before_the_start() -> None:
    start = datetime(2027, 3, 28, 9, tzinfo=MADRID)
    planned = dict(planned_stages(start, utc("2027-03-20T00:00")))
    assert planned == {
        "booked": utc("2027-03-20T00:00"),
        "h24": utc("2027-03-27T07:00"),
        "h8": utc("2027-03-27T23:00"),
        "h2": utc("2027-03-28T05:00"),
        "m30": utc("2027-03-28T06:30"),
    }
    assert {at.tzinfo for at in planned.values()} == {UTC}


def test_the_conditions_choose_the_stages() -> None:
    assert [stage for stage, _ in planned_stages(START, START - timedelta(days=3), ("h8", "m30"))] == [
        "h8",
        "m30",
    ]


RELEASE_AT = START - timedelta(hours=2)


@pytest.mark.parametrize(
    ("policy", "now", "booked_at", "expected"),
    [
        ("release", START - timedelta(hours=8), None, Consequence("release", RELEASE_AT)),
        ("release", RELEASE_AT, None, Consequence("release", RELEASE_AT)),
        (
            "release",
            START - timedelta(minutes=30),
            None,
            Consequence("release", START - timedelta(minutes=30)),
        ),
        ("release", START, None, Consequence("hold")),
        ("hold", RELEASE_AT, None, Consequence("hold")),
        ("release", RELEASE_AT, START - timedelta(hours=3), Consequence("release", RELEASE_AT)),
        ("release", START - timedelta(minutes=30), RELEASE_AT, Consequence("hold")),
    ],
)
def test_what_follows_from_red(
    policy: str, now: datetime, booked_at: datetime | None, expected: Consequence
) -> None:
    assert after_red(policy, START, now, booked_at=booked_at) == expected


def test_the_moment_of_release_is_the_desks() -> None:
    now = START - timedelta(hours=8)
    assert after_red("release", START, now, timedelta(hours=4)).at == START - timedelta(hours=4)


def test_what_cannot_be_decided_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such policy"):
        after_red("wait", START, RELEASE_AT)
    with pytest.raises(ValueError, match="now is naive"):
        planned_stages(START, datetime(2026, 11, 24))
