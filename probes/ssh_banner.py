"""The step ``service``: who speaks on this port? Peeked, so that the SSH client still finds every byte."""

from __future__ import annotations

import asyncio
import socket

from probes.dial import Dialled
from probes.pace import Pace
from probes.report import Facts, Step, finding, good
from probes.target import Target
from probes.wire import WireError
from probes.wire.greetings import is_throttling, name_service
from probes.wire.ssh import find_identification

LONGEST_OPENING = 8 * 1024
POLL_SECONDS = 0.05
# An HTTP or TLS server waits for the client: one line of ours makes it show itself before we give up.
NUDGE = b"SSH-2.0-Ventana\r\n\r\n"
NUDGE_SECONDS = 2.0


async def check_banner(dialled: Dialled, target: Target, pace: Pace) -> Step:
    """Wait for the identification line; the socket keeps all its bytes when the step is good."""
    facts = {"host": target.host, "port": dialled.port, "source_address": target.source_address}
    try:
        async with pace.within(pace.limits.banner):
            opening, closed = await _peek_line(dialled.sock)
    except TimeoutError:
        return await _silent(dialled, facts, pace)
    except OSError:
        return finding("service", "tcp_reset", {**facts, "address": str(dialled.address)}, pace.lap())
    return _judged(opening, closed, facts, pace.lap())


def _judged(opening: bytes, closed: bool, facts: Facts, ms: float) -> Step:
    try:
        found = find_identification(opening)
    except WireError:
        return finding("service", "wrong_service", facts, ms)
    if found is None:
        if is_throttling(opening):
            return finding("service", "throttled", facts, ms)
        if not opening or (closed and opening.startswith(b"SSH-")):
            return finding("service", "closed_before_banner", facts, ms)
        return finding("service", "wrong_service", {**facts, "service": name_service(opening)}, ms)
    seen = {"software": found[0].described(), "banner": found[0].line}
    if not found[0].speaks_2:
        return finding("service", "ssh_v1_only", {**facts, **seen}, ms)
    return good("service", seen, ms)


async def _peek_line(sock: socket.socket) -> tuple[bytes, bool]:
    """What has arrived once it can be judged, and whether the far end has closed; raises OSError."""
    seen = b""
    while True:
        await _readable(sock)
        opening = sock.recv(LONGEST_OPENING, socket.MSG_PEEK)
        if _is_enough(opening) or len(opening) >= LONGEST_OPENING:
            return opening, False
        if opening == seen:
            # Peeked bytes keep the socket readable, so the end of the stream must be told from a pause.
            if not opening or _has_ended(sock):
                return opening, True
            await asyncio.sleep(POLL_SECONDS)
        seen = opening


def _is_enough(opening: bytes) -> bool:
    """A whole identification line, a broken one, or the greeting of somebody else."""
    try:
        return find_identification(opening) is not None or _is_foreign(opening)
    except WireError:
        return True


def _is_foreign(opening: bytes) -> bool:
    return name_service(opening) is not None and (b"\n" in opening or len(opening) >= 16)


def _has_ended(sock: socket.socket) -> bool:
    """Whether the far end has sent its FIN: TCP_INFO's first byte is the state, 8 is CLOSE_WAIT (Linux)."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 8


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    # By number: of a socket, the selector would first write out the addresses of both ends.
    number = sock.fileno()
    loop.add_reader(number, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(number)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _silent(dialled: Dialled, facts: Facts, pace: Pace) -> Step:
    """Nobody introduced himself; perhaps a service that waits for the client to speak."""
    service = await _nudged(dialled.sock, pace)
    if service is not None:
        return finding("service", "wrong_service", {**facts, "service": service}, pace.lap())
    return finding("service", pace.late_code("banner_timeout"), facts, pace.lap())


async def _nudged(sock: socket.socket, pace: Pace) -> str | None:
    try:
        async with pace.within(min(NUDGE_SECONDS, pace.limits.banner)):
            await asyncio.get_running_loop().sock_sendall(sock, NUDGE)
            await _readable(sock)
            return name_service(sock.recv(LONGEST_OPENING, socket.MSG_PEEK))
    except (TimeoutError, OSError):
        return None
