"""A thousand targets, a hundred of them dead, in one process: wall time, memory, and what held the event loop.

    python -m benchmarks.probe_many [targets]

As root it runs in a network namespace of its own, where a filter drops what is sent to the filtered addresses; else
their part refuses. Live targets are SSH servers in processes of their own, each target at its own loopback address,
and are tried up to the PBX; the dead ones are filtered, closed, or accept and say nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.table import Line, show
from fixtures.loop_watch import LoopWatch
from fixtures.ssh_peers import AsyncsshPeer, Door
from fixtures.sshd import make_key
from probes.many import Job, run_many
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Target

TARGETS = 1000
DEAD_SHARE = 10
PROCESSES = 2
INSIDE = "VENTANA_BENCHMARK_NAMESPACE"
BEAT_SECONDS = 0.005
CLOSED_PORT = 1


def measure(targets: int = TARGETS) -> Iterator[Line]:
    """Run the client in a fresh process and read what it found."""
    command = [sys.executable, "-m", "benchmarks.probe_many", str(targets)]
    if os.geteuid() == 0 and shutil.which("unshare") and shutil.which("iptables"):
        command = ["unshare", "-n", *command]
    done = subprocess.run(
        command, env=os.environ | {INSIDE: "1"}, stdout=subprocess.PIPE, check=True, text=True
    )
    yield from _lines(json.loads(done.stdout.splitlines()[-1]))


def _lines(found: dict[str, float]) -> Iterator[Line]:
    dead = f"{found['dead']:.0f} dead, {found['filtered']:.0f} of them filtered"
    yield Line(f"{found['targets']:.0f} targets, {dead}: wall time", found["wall"], "s", at_most=60)
    yield Line("peak memory of the process", found["rss_mb"], "MB", at_most=120)
    yield Line("longest single callback, CPU", found["callback_ms"], "ms", at_most=50)
    yield Line("latest heartbeat of the loop, 99 of 100", found["late_ms"], "ms")
    yield Line("CPU for each target", found["cpu_ms"], "ms")
    yield Line("judged as expected", found["right"], "", at_least=found["targets"])


def _inside(targets: int) -> None:
    """In the namespace: lay out the servers and run the client in a process of its own, whose memory is its own."""
    filtered = _filter()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = Path(name)
        key = make_key(home / "key")
        public = (home / "key.pub").read_text(encoding="ascii")
        servers = [_server(stack, public) for _ in range(PROCESSES)]
        silent = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=512))  # noqa: S104 - a lab's
        plan = {
            "key": key,
            "servers": servers,
            "silent": silent.getsockname()[1],
            "filtered": filtered,
            "targets": targets,
        }
        (home / "plan.json").write_text(json.dumps(plan))
        client = [sys.executable, "-m", "benchmarks.probe_many", "client", str(home / "plan.json")]
        subprocess.run(client, check=True)


def _filter() -> bool:
    if os.geteuid() != 0 or not shutil.which("iptables"):
        return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["iptables", "-A", "INPUT", "-d", "127.9.0.0/16", "-j", "DROP"], check=True)
    return True


def _server(stack: ExitStack, public: str) -> tuple[int, str]:
    """Port and host key of a server in its own process."""
    start = [sys.executable, "-m", "benchmarks.probe_many", "server", public]
    process = stack.enter_context(
        subprocess.Popen(start, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    )
    stack.callback(process.terminate)
    assert process.stdout is not None
    port, host_key = process.stdout.readline().strip().split(" ", 1)
    return int(port), host_key


def _serve(public: str) -> None:
    with AsyncsshPeer(Door(authorized=(public,)), host="0.0.0.0") as peer:  # noqa: S104 - on loopback's addresses
        print(peer.port, peer.host_key_line(), flush=True)
        sys.stdin.read()


def _jobs(plan: dict[str, object]) -> Iterator[tuple[Job, str | None]]:
    """Each job and the code that it must find."""
    targets, servers = int(str(plan["targets"])), plan["servers"]
    assert isinstance(servers, list)
    key = Credential(CredentialKind.PRIVATE_KEY, str(plan["key"]))
    for number in range(targets):
        within = f"{number // 250}.{number % 250 + 1}"
        (port, host_key), code = servers[number % len(servers)], None
        address = f"127.1.{within}"
        if number % DEAD_SHARE == 0:
            address, port, code = _dead(number // DEAD_SHARE, within, plan)
        allow = AddressAllowance.parse(loopback_ports=[(address, port)])
        target = Target("ssh", address, port, "soporte", key, frozenset([host_key]), "asterisk", allow=allow)
        yield Job(number, target), code


def _dead(number: int, within: str, plan: dict[str, object]) -> tuple[str, int, str]:
    if number % 2 == 0 and plan["filtered"]:
        return f"127.9.{within}", 22, "tcp_timeout"
    if number % 4 == 1:
        return f"127.2.{within}", int(str(plan["silent"])), "banner_timeout"
    return f"127.2.{within}", CLOSED_PORT, "tcp_refused"


def _probe(plan: dict[str, object]) -> None:
    """The client: everything in one event loop, with a heartbeat beside it."""
    expected = dict(_jobs(plan))
    wanted = {job.label: code for job, code in expected.items()}
    right: Counter[bool] = Counter()
    lates: list[float] = []

    beating: list[asyncio.Task[None]] = []

    def note(job: Job, report: Report) -> None:
        if not beating:
            beating.append(asyncio.get_running_loop().create_task(_beat(lates)))
        right[report.code == wanted[job.label]] += 1
        if report.code != wanted[job.label]:
            print(job.target.host, report.code, wanted[job.label], file=sys.stderr)

    cpu, began = time.process_time(), time.perf_counter()
    with LoopWatch() as watch:
        run_many(expected, note)
    codes = list(wanted.values())
    found = {
        "targets": len(codes),
        "dead": len(codes) - codes.count(None),
        "filtered": codes.count("tcp_timeout"),
        "wall": time.perf_counter() - began,
        "cpu_ms": (time.process_time() - cpu) * 1000 / len(codes),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "callback_ms": watch.longest * 1000,
        "late_ms": sorted(lates)[len(lates) * 99 // 100] * 1000,
        "right": right[True],
    }
    print(watch.slowest, file=sys.stderr)
    print(json.dumps(found), flush=True)


async def _beat(lates: list[float]) -> None:
    """A heartbeat beside the probes; the loop ends it."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(BEAT_SECONDS)
        lates.append(time.perf_counter() - before - BEAT_SECONDS)


def main() -> None:
    """Run as a part, or measure and print."""
    match sys.argv[1:]:
        case ["server", public]:
            _serve(public)
        case ["client", path]:
            _probe(json.loads(Path(path).read_text()))
        case [targets] if INSIDE in os.environ:
            _inside(int(targets))
        case arguments:
            sys.exit(not show(measure(int(arguments[0]) if arguments else TARGETS)))


if __name__ == "__main__":
    main()
