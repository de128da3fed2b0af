"""Many targets in one event loop: bounded, each far end once at a time, no account tried twice, nothing blocked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from fixtures.loop_watch import LoopWatch
from fixtures.ssh_bad_peers import BadPeer
from fixtures.ssh_peers import AsyncsshPeer, Door
from probes.engine import utc_now
from probes.logins import Allowance, RememberedLogins
from probes.many import Course, Job, Many, prepare, run_many
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from tests.probes.conftest import HURRIED
from tests.probes.test_command_line import probes

if TYPE_CHECKING:
    from tests.probes.conftest import Identity

WRONG = Credential(CredentialKind.PASSWORD, "canary-wrong")
CALM = Many(jitter=0, limits=HURRIED)


@pytest.fixture(scope="module")
def peer() -> Iterator[AsyncsshPeer]:
    with AsyncsshPeer(Door(password="right", methods=("password",))) as running:
        yield running


def target_at(port: int, address: str = "127.0.0.1", **more: object) -> Target:
    allow = AddressAllowance.parse(loopback_ports=[(address, port)])
    return Target("ssh", address, port, allow=allow, **more)  # type: ignore[arg-type]  # the tests know the fields


def gathered(jobs: list[Job], many: Many = CALM, course: Course | None = None) -> list[tuple[object, Report]]:
    ended: list[tuple[object, Report]] = []
    run_many(jobs, lambda job, report: ended.append((job.label, report)), many, course)
    return ended


def test_results_come_as_they_end_and_the_course_is_told(peer: AsyncsshPeer) -> None:
    course = Course(3)
    with BadPeer("silent") as slow:
        jobs = [
            Job("slow", target_at(slow.port), Depth.IDENTIFY),
            Job("fast", target_at(peer.port), Depth.IDENTIFY),
            Job("refused", target_at(1), Depth.IDENTIFY),
        ]
        ended = gathered(jobs, course=course)
    assert [label for label, _ in ended][-1] == "slow"
    assert {label for label, _ in ended} == {"slow", "fast", "refused"}
    assert (course.done, course.under_way) == (3, 0)
    assert course.ended == {"ok": 0, "warn": 1, "fail": 2, "unknown": 0}


def test_no_more_than_asked_are_in_flight() -> None:
    course, seen = Course(0), []
    jobs = [Job(n, target_at(1, f"127.0.0.{n}"), Depth.REACH) for n in range(1, 40)]
    run_many(jobs, lambda *_: seen.append(course.under_way), Many(in_flight=3, jitter=0.01), course)
    assert course.done == 39
    assert max(seen) <= 3


def test_one_far_end_is_visited_by_one_at_a_time_whoever_lists_it() -> None:
    course, seen = Course(0), []
    with BadPeer("silent") as silent:
        jobs = [Job(n, target_at(silent.port), Depth.REACH) for n in range(8)]
        run_many(jobs, lambda *_: seen.append(course.under_way), Many(jitter=0.01), course)
    assert course.ended["ok"] == 8
    assert max(seen) <= 1


def test_a_refused_account_is_not_tried_again_however_often_it_is_listed(peer: AsyncsshPeer) -> None:
    before = len(peer.seen.passwords)
    target = target_at(
        peer.port, username="soporte", credential=WRONG, pins=frozenset([peer.host_key_line()])
    )
    ended = gathered([Job(number, target) for number in range(3)])
    assert [report.code for _, report in ended] == ["auth_failed", "login_put_off", "login_put_off"]
    assert peer.seen.passwords[before:] == ["canary-wrong"]
    assert ended[1][1].status == "unknown"


def test_different_passwords_at_one_host_stop_before_they_lock_it(peer: AsyncsshPeer) -> None:
    """As many people may list one host: its rate is its own, not theirs."""
    before = len(peer.seen.passwords)
    pins = frozenset([peer.host_key_line()])
    jobs = [
        Job(
            number,
            target_at(
                peer.port,
                username="soporte",
                pins=pins,
                credential=Credential(CredentialKind.PASSWORD, f"guess-{number}"),
            ),
        )
        for number in range(6)
    ]
    logins = RememberedLogins(utc_now, Allowance(refusals=4))
    codes = [report.code for _, report in gathered(jobs, Many(jitter=0, limits=HURRIED, logins=logins))]
    assert codes == ["auth_failed"] * 4 + ["login_put_off"] * 2
    assert len(peer.seen.passwords) - before == 4


def test_leaving_early_closes_everything() -> None:
    async def leave(port: int) -> None:
        jobs = [Job(n, target_at(port, f"127.0.0.{n}"), Depth.IDENTIFY) for n in range(1, 30)]
        async with aclosing(Many(jitter=0).run([Job("first", target_at(1)), *jobs])) as reports:
            async for job, _ in reports:
                assert job.label == "first"
                break
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with BadPeer("silent") as silent:
        started = time.monotonic()
        asyncio.run(leave(silent.port))
    assert time.monotonic() - started < 8


def test_no_callback_holds_the_loop(peer: AsyncsshPeer) -> None:
    """CPU of each single callback: a busy machine may stop us, we must not stop the others."""
    addresses = [f"127.0.1.{number}" for number in range(1, 61)]
    with (
        BadPeer("silent_in_kex") as dead,
        BadPeer("ancient") as old,
        AsyncsshPeer(Door(), host="0.0.0.0") as good,
    ):
        jobs = [Job(a, target_at(good.port, a), Depth.IDENTIFY) for a in addresses]
        jobs += [Job("dead", target_at(dead.port)), Job("old", target_at(old.port))]
        with LoopWatch() as watch:
            ended = gathered(jobs)
    assert len(ended) == 62
    assert watch.callbacks > 500
    assert watch.longest < 0.05, watch.slowest


def test_the_watch_sees_a_callback_that_holds_the_loop() -> None:
    async def hold() -> None:
        ends = time.thread_time() + 0.06
        while time.thread_time() < ends:
            pass

    with LoopWatch() as watch:
        asyncio.run(hold())
    assert watch.longest >= 0.05


def test_the_command_line_names_bad_lines_and_runs_the_others(identity: Identity, peer: AsyncsshPeer) -> None:
    lines = [
        {"host": "127.0.0.1", "port": peer.port, "user": "soporte", "password_env": "PBX", "id": "pbx",
         "pins": [peer.host_key_line()]},
        {"host": "127.0.0.1", "port": 0},
        {"host": "127.0.0.1", "port": peer.port, "password": "canary-list"},
        {"host": "127.0.0.1", "port": 1},
    ]  # fmt: skip
    run = many([json.dumps(line) for line in lines], PBX="right")
    results = {result["line"]: result for result in map(json.loads, run.stdout.splitlines())}
    assert (results[1]["status"], results[1]["id"]) == ("ok", "pbx"), run.stdout
    assert results[2]["error"] == {"field": "port", "problem": "out_of_range"}
    assert results[3]["error"] == {"field": "password", "problem": "secret_in_list"}
    assert results[4]["code"] == "tcp_refused"
    assert "line 2: port: out_of_range" in run.stderr
    assert "2 of 2 probed: 1 ok, 0 warn, 1 fail, 0 unknown" in run.stderr
    assert run.returncode == 2
    assert "canary" not in run.stdout + run.stderr
    assert "right" not in run.stdout


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["host,port", "127.0.0.1,{port}"], 1),  # a host key that nobody has confirmed
        (["host,port", "127.0.0.1,{port}", "127.0.0.1,1"], 2),
        (["nonsense"], 3),
        ([], 3),
    ],
)
def test_the_exit_status_is_the_worst(lines: list[str], status: int, peer: AsyncsshPeer) -> None:
    assert many([line.format(port=peer.port) for line in lines]).returncode == status


def test_a_reader_who_leaves_is_no_fault(peer: AsyncsshPeer) -> None:
    line = f'{{"host": "127.0.0.1", "port": {peer.port}}}\n'
    start = [sys.executable, "-m", "probes", "many", "-", "--allow-loopback"]
    with subprocess.Popen(start, stdin=-1, stdout=-1, stderr=-1, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        running.stdin.write(line)
        running.stdin.close()
        assert "Traceback" not in running.stderr.read()
    assert running.returncode == 3


def many(lines: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return probes("many", "-", "--allow-loopback", "--jitter", "0", given="\n".join(lines), **environment)


def test_what_would_block_the_loop_is_done_before() -> None:
    prepare({"ssh"})
    assert "asyncssh" in sys.modules
