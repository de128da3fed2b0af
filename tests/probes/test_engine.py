"""The engine: turns, limits, faults of ours, and what it never does."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.ssh_bad_peers import BadPeer
from fixtures.ssh_peers import AsyncsshPeer, Door
from probes import engine
from probes.dial import DialRefused, connect, find_way
from probes.engine import probe, run
from probes.gate import Gate, TurnTimeout
from probes.pace import Limits
from probes.report import Outcome, Step
from probes.target import AddressAllowance, Depth, Target


@pytest.fixture(scope="module")
def peer() -> Iterator[AsyncsshPeer]:
    with AsyncsshPeer(Door()) as running:
        yield running


def target_at(port: int, address: str = "127.0.0.1") -> Target:
    return Target("ssh", address, port, allow=AddressAllowance.parse(loopback_ports=[(address, port)]))


def test_steps_stream_as_they_end(peer: AsyncsshPeer) -> None:
    async def watch() -> list[tuple[str, bool]]:
        return [(step.name, step.ms >= 0) async for step in probe(target_at(peer.port), Depth.IDENTIFY)]

    assert [name for name, _ in asyncio.run(watch())] == ["name", "port", "service", "kex", "host_key"]


def test_a_reader_who_leaves_closes_the_connection() -> None:
    async def leave(port: int) -> None:
        climbing = probe(target_at(port))
        async for step in climbing:
            if step.name == "port":
                break
        await climbing.aclose()

    with BadPeer("silent") as silent:
        asyncio.run(leave(silent.port))
        report = run(target_at(silent.port), Depth.REACH, limits=Limits(turn=1))  # the turn was given back
    assert report.status == "ok"


def test_a_fault_of_ours_is_never_red_and_leaves_a_traceback(
    peer: AsyncsshPeer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(engine.FAR_ENDS, "ssh", "probes.no_such_far_end")
    with caplog.at_level(logging.ERROR, "probes"):
        report = run(target_at(peer.port))
    assert [step.code for step in report.steps if step.code] == ["probe_bug"]
    assert report.status == "unknown"
    assert "Traceback" in caplog.text


def test_what_the_reader_raises_reaches_the_caller(peer: AsyncsshPeer) -> None:
    def stop(step: Step) -> None:
        raise KeyError(step.name)

    with pytest.raises(KeyError, match="name"):
        run(target_at(peer.port), on_step=stop)


def test_a_report_says_when(peer: AsyncsshPeer) -> None:
    instants = iter(
        [datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(seconds=2)]
    )
    report = run(target_at(peer.port), Depth.REACH, clock=lambda: next(instants))
    assert report.as_dict()["finished_at"] == "2026-11-24T09:00:02+00:00"


def test_one_at_a_time_per_target_across_threads() -> None:
    held, most, lock = 0, 0, threading.Lock()
    gate = Gate(100)

    async def visit() -> None:
        nonlocal held, most
        async with gate.turn("target", 10):
            with lock:
                held += 1
                most = max(most, held)
            await asyncio.sleep(0.005)
            with lock:
                held -= 1

    async def visits() -> None:
        await asyncio.gather(*(visit() for _ in range(10)))

    threads = [threading.Thread(target=lambda: asyncio.run(visits())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (held, most) == (0, 1)


def test_no_more_than_the_limit_are_in_flight() -> None:
    most, held, gate = 0, 0, Gate(7)

    async def visit(key: int) -> None:
        nonlocal most, held
        async with gate.turn(key, 10):
            held += 1
            most = max(most, held)
            await asyncio.sleep(0.001)
            held -= 1

    async def visits() -> None:
        await asyncio.gather(*(visit(key) for key in range(60)))

    asyncio.run(visits())
    assert most == 7


def test_a_turn_that_does_not_come_is_not_the_far_ends_fault(peer: AsyncsshPeer) -> None:
    gate = Gate(1)

    async def blocked() -> list[Step]:
        async with gate.turn("another", 1):
            return [step async for step in probe(target_at(peer.port), limits=Limits(turn=0.05), gate=gate)]

    steps = asyncio.run(blocked())
    assert (steps[1].code, steps[1].outcome) == ("turn_timeout", Outcome.SKIPPED)


def test_a_turn_that_is_given_up_is_not_lost() -> None:
    async def give_up() -> None:
        gate = Gate(1)
        async with gate.turn("a", 1):
            with pytest.raises(TurnTimeout):
                async with gate.turn("a", 0.01):
                    pass
        async with gate.turn("a", 0.1):
            pass

    asyncio.run(give_up())


def test_a_dead_name_server_does_not_hold_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(20) and [])
    started = time.monotonic()
    report = run(Target("ssh", "pbx.example.com", 22), limits=Limits(dns=0.1))
    released.set()
    assert report.code == "dns_timeout"
    assert time.monotonic() - started < 5


def test_a_name_is_looked_up_once_and_connected_by_number(peer: AsyncsshPeer) -> None:
    asked: list[str] = []

    async def resolver(name: str, port: int) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"]

    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", peer.port)])
    target = Target("ssh", "pbx.example.com", peer.port, allow=allow)
    report = run(target, Depth.IDENTIFY, resolver=resolver)
    assert (report.status, asked) == ("warn", ["pbx.example.com"])
    assert report.steps[0].facts["addresses"] == ["127.0.0.1"]


def test_hostile_names_never_reach_our_own_services(peer: AsyncsshPeer) -> None:
    """Answers flip between outside and inside; a listener on loopback counts who comes."""
    answers = iter([["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"], ["0.0.0.0"]] * 40)

    async def hostile(name: str, port: int) -> Sequence[str]:
        return next(answers)

    with BadPeer("silent") as inside:
        for _ in range(200):
            report = run(Target("ssh", "flip.example.com", inside.port), Depth.REACH, resolver=hostile)
            assert report.code == "address_refused"
        assert inside.visits == 0


def test_the_second_address_is_tried_when_the_first_is_closed(peer: AsyncsshPeer) -> None:
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", peer.port), ("127.0.0.9", peer.port)])

    async def both(name: str, port: int) -> Sequence[str]:
        return ["127.0.0.9", "127.0.0.1"]

    async def go() -> str:
        way = await find_way("pbx.example.com", peer.port, allow, resolver=both)
        dialled = await connect(way)
        dialled.sock.close()
        return str(dialled.address)

    assert asyncio.run(go()) == "127.0.0.1"


def test_a_connection_that_ends_elsewhere_is_refused(
    peer: AsyncsshPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for the comparison after connecting: something below us moves the connection."""
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", peer.port), ("127.0.0.2", peer.port)])

    async def go() -> None:
        loop = asyncio.get_running_loop()
        honest = loop.sock_connect

        async def moved(sock: socket.socket, address: tuple[str, int]) -> None:
            await honest(sock, ("127.0.0.1", address[1]))

        monkeypatch.setattr(loop, "sock_connect", moved)
        await connect(await find_way("127.0.0.2", peer.port, allow))

    with pytest.raises(DialRefused) as caught:
        asyncio.run(go())
    assert caught.value.facts["reason"] == "peer_differs"
