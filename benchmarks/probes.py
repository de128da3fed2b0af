"""Client CPU of each kind of probe, side by side with the programs that Debian ships for the same question.

    python -m benchmarks probes

Servers run in processes of their own, so that only clients are counted. Ours has the name, the address policy, the
turn, all steps and their facts in it.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import asyncssh

from benchmarks import probe_peers as peers
from benchmarks.table import Line
from fixtures.nla_peer import NlaPeer
from fixtures.rdp_servers import Shadow, XServer, ask_xfreerdp, shadow_missing
from fixtures.rdp_servers import missing as rdp_missing
from fixtures.sshd import Sshd, make_key
from fixtures.vnc_servers import TigerVnc
from fixtures.vnc_servers import missing as vnc_missing
from probes.engine import probe
from probes.report import Outcome, Step
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target

ROUNDS, BLOCK, PROGRAM_ROUNDS = 50, 10, 10
MOST_MS = {
    "banner": 0.6,
    "host key": 3.0,
    "SSH login and command": 8.0,
    "VNC login": 0.7,
    "RDP login by NLA": 8.0,
}
USER, PASSWORD = "soporte", "s3creto"
Probe = Callable[[], Awaitable[object]]
Told = Line | str


def measure() -> Iterator[Line]:
    """Ours with its promise, then each peer with its ratio; a peer that is not here is named on standard error."""
    for name, told in _all():
        if isinstance(told, str):
            print(f"  {name}: {told}", flush=True)
        else:
            yield told


def _all() -> Iterator[tuple[str, Told]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = Path(name)
        scrape = None if peers.missing(peers.BLACKBOX) else stack.enter_context(peers.blackbox(home))
        yield from _ssh(stack, home, scrape)
        yield from _vnc(stack, home)
        yield from _rdp(stack, home)


class Group:
    """One question: ours first, then the others by their ratio to ours."""

    def __init__(self, name: str, ours: float) -> None:
        self._name = name
        self._ours = ours

    def first(self) -> tuple[str, Told]:
        return self._name, Line(f"{self._name}: ours", self._ours, "ms", at_most=MOST_MS[self._name])

    def peer(self, name: str, reason: str | None, cost: Callable[[], float]) -> tuple[str, Told]:
        """The peer's line with how many of ours it costs, or why it is missing."""
        shown = f"{self._name}: {name}"
        if reason is not None:
            return shown, reason
        spent = cost()
        return shown, Line(f"{shown} ({spent / self._ours:.1f} of ours)", spent, "ms")


def in_process(*kinds: Probe, rounds: int = ROUNDS) -> list[float]:
    """Milliseconds of each, the median of blocks: blocks alternate, so that a noisy machine disturbs all alike.

    A block ends when its own connections are gone and its garbage is cleared; else the next would pay for it.
    """

    async def block(start: Probe) -> float:
        before = time.process_time()
        for _ in range(BLOCK):
            await start()
        await asyncio.sleep(0)
        gc.collect()
        return (time.process_time() - before) * 1000 / BLOCK

    async def go() -> list[float]:
        spent: list[list[float]] = [[] for _ in kinds]
        for turn in range(rounds // BLOCK + 1):
            for values, start in zip(spent, kinds, strict=True):
                cost = await block(start)
                if turn:
                    values.append(cost)
        return [statistics.median(values) for values in spent]

    gc.collect()
    gc.freeze()  # what was imported is no garbage of anybody's
    return asyncio.run(go())


async def _to(steps: AsyncGenerator[Step, None], last: str) -> None:
    """Climb as far as this step, which must be proven; then leave."""
    async with aclosing(steps):
        async for step in steps:
            if step.outcome is Outcome.FAIL:
                raise SystemExit(f"the probe is not green: {step}")
            if step.name == last:
                return
    raise SystemExit(f"no step {last}")


def _ssh(
    stack: ExitStack, home: Path, scrape: Callable[[str, str], float] | None
) -> Iterator[tuple[str, Told]]:
    text = make_key(home / "key")
    public = (home / "key.pub").read_text(encoding="ascii")
    sshd = stack.enter_context(Sshd(home / "sshd", authorized=[public]))
    pin, port, key = sshd.host_key_line(), sshd.port, asyncssh.import_private_key(text)
    known = f"[127.0.0.1]:{port} {pin}\n".encode()
    (home / "known").write_bytes(known)
    credential = Credential(CredentialKind.OUR_KEY, text)
    target = Target(
        "ssh", "127.0.0.1", port, sshd.username, credential, frozenset([pin]), "asterisk", allow=_at(port)
    )

    async def bare() -> None:
        options: dict[str, Any] = {
            "client_keys": [key],
            "known_hosts": known,
            "config": None,
            "agent_path": None,
        }
        async with asyncssh.connect("127.0.0.1", port, username=sshd.username, **options) as connection:
            await connection.run("echo bare", stdin=asyncssh.DEVNULL, check=True)

    banner, host_key, full, theirs_key, theirs_full = in_process(
        lambda: _to(probe(target, Depth.IDENTIFY), "service"),
        lambda: _to(probe(target, Depth.IDENTIFY), "host_key"),
        lambda: _to(probe(target), "asterisk"),
        lambda: asyncssh.get_server_host_key("127.0.0.1", port, config=None),
        bare,
    )
    yield from _banners(Group("banner", banner), scrape, port)
    yield from _host_keys(Group("host key", host_key), theirs_key, port)
    group = Group("SSH login and command", full)
    yield group.first()
    yield group.peer("asyncssh bare", None, lambda: theirs_full)
    options = ["-F", "none", "-i", str(home / "key"), "-o", f"UserKnownHostsFile={home / 'known'}"]
    ssh = ["ssh", *options, "-p", str(port), f"{sshd.username}@127.0.0.1", "echo bare"]
    yield group.peer("ssh", peers.missing("ssh"), lambda: _program(ssh, "bare"))


def _banners(
    group: Group, scrape: Callable[[str, str], float] | None, port: int
) -> Iterator[tuple[str, Told]]:
    yield group.first()
    at = f"127.0.0.1:{port}"
    yield group.peer("blackbox_exporter", peers.missing(peers.BLACKBOX), lambda: _scraped(scrape, "ssh", at))
    check = [peers.CHECK_SSH, "-p", str(port), "127.0.0.1"]
    yield group.peer("check_ssh", peers.missing(peers.CHECK_SSH), lambda: _program(check, "SSH OK"))


def _host_keys(group: Group, theirs: float, port: int) -> Iterator[tuple[str, Told]]:
    yield group.first()
    yield group.peer("asyncssh bare", None, lambda: theirs)
    nmap = ["nmap", "-Pn", "-n", "-p", str(port), "--script", "+ssh-hostkey", "127.0.0.1"]
    yield group.peer("nmap ssh-hostkey", peers.missing("nmap"), lambda: _program(nmap, "ssh-hostkey"))
    scan = ["ssh-keyscan", "-p", str(port), "127.0.0.1"]
    yield group.peer("ssh-keyscan", peers.missing("ssh-keyscan"), lambda: _program(scan, "ssh-ed25519"))


def _vnc(stack: ExitStack, home: Path) -> Iterator[tuple[str, Told]]:
    if (reason := vnc_missing()) is not None:
        yield "VNC login", reason
        return
    server = stack.enter_context(TigerVnc(home / "vnc", password=PASSWORD.encode()))
    port, credential = server.port, Credential(CredentialKind.PASSWORD, PASSWORD)
    target = Target("vnc", "127.0.0.1", port, credential=credential, allow=_at(port))
    group = Group("VNC login", in_process(lambda: _to(probe(target), "framebuffer"), rounds=6 * ROUNDS)[0])
    yield group.first()
    yield group.peer("vncdotool", None, lambda: _vncdotool(port))
    # Each of its visits ends without a login and would lock the address out, so the last that is asked.
    yield group.peer(
        "blackbox_exporter, banner only",
        "left out: TigerVNC locks its address out after five visits",
        lambda: 0.0,
    )


def _vncdotool(port: int) -> float:
    """In a process of its own, whose event loop is Twisted's."""
    start = [sys.executable, "-m", "benchmarks.vncdotool_login", str(port), PASSWORD, str(6 * ROUNDS)]
    return float(subprocess.run(start, check=True, capture_output=True, text=True).stdout)


def _rdp(stack: ExitStack, home: Path) -> Iterator[tuple[str, Told]]:
    display = "" if rdp_missing("Xvfb") else stack.enter_context(XServer(home / "display")).display
    server: Any = (
        stack.enter_context(Shadow(home / "shadow", {USER: PASSWORD}, display))
        if shadow_missing() is None
        else stack.enter_context(NlaPeer(home / "peer", {USER: (PASSWORD, "good")}))
    )
    credential = Credential(CredentialKind.PASSWORD, PASSWORD)
    target = Target("rdp", "127.0.0.1", server.port, USER, credential, platform="3cx", allow=_at(server.port))
    group = Group("RDP login by NLA", in_process(lambda: _to(probe(target), "login"))[0])
    yield group.first()
    reason = rdp_missing("Xvfb", "xfreerdp")
    yield group.peer(
        "xfreerdp +auth-only", reason, lambda: _xfreerdp(home / "xfreerdp", display, server.port)
    )
    nmap = ["nmap", "-Pn", "-n", "-p", str(server.port), "--script", "+rdp-ntlm-info", "127.0.0.1"]
    yield group.peer(
        "nmap rdp-ntlm-info, no login", peers.missing("nmap"), lambda: _program(nmap, "Product_Version")
    )


def _xfreerdp(folder: Path, display: str, port: int) -> float:
    spent = []
    for _ in range(PROGRAM_ROUNDS // 2):
        before = peers.children()
        ask_xfreerdp(folder, display, port, USER, PASSWORD)
        spent.append((peers.children() - before) * 1000)
    return statistics.median(spent)


def _program(command: list[str], expected: str) -> float:
    return peers.by_program(command, PROGRAM_ROUNDS, expected)


def _scraped(scrape: Callable[[str, str], float] | None, module: str, at: str) -> float:
    return scrape(module, at) if scrape is not None else 0.0


def _at(port: int) -> AddressAllowance:
    return AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)])
