"""The only place that opens sockets: parse, refuse odd forms, resolve once, judge, connect, compare.

The number that was judged is the number that is connected to, so a name that changes its answer between two
queries (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from probes.addresses import Address, AddressAllowance, refusal, unmapped
from probes.report import Facts

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
LOCAL_SUFFIXES = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion")
# Whoever answers with more gains nothing: each is a connection, and an entry in the book of logins.
MOST_ADDRESSES = 8
PLAIN_V4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})", re.ASCII)


class DialRefused(Exception):
    """The way to the far end ended: a code of the table and the facts of it. Only the ladder sees it."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts: Facts = facts


class HeardSocket(socket.socket):
    """A socket that remembers the first bytes it received, whoever reads it.

    Protocol libraries swallow the peer's opening words and report a bare "connection lost"; with these the
    ladder can say what was really offered.
    """

    heard_limit = 16 * 1024

    def __init__(self, family: int, kind: int) -> None:
        super().__init__(family, kind)
        self.heard = bytearray()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Like ``socket.recv``; peeked bytes are not remembered, they will come again."""
        chunk = super().recv(size, flags)
        if not flags and len(self.heard) < self.heard_limit:
            self.heard += chunk[: self.heard_limit - len(self.heard)]
        return chunk

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0, /) -> int:
        """The same for buffers, which is how asyncio's TLS reads."""
        count = super().recv_into(buffer, size, flags)
        if not flags and len(self.heard) < self.heard_limit:
            self.heard += memoryview(buffer)[: min(count, self.heard_limit - len(self.heard))]
        return count


@dataclass(frozen=True, slots=True)
class Way:
    """A judged way to a target: the numbers that may be connected to, in the resolver's order."""

    host: str
    port: int
    addresses: tuple[Address, ...]
    literal: bool


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connected, non-blocking socket whose peer is the judged address."""

    sock: HeardSocket
    address: Address
    port: int
    local_address: str


def parse_host(host: str) -> Address | str:
    """The address or the lower-case ASCII name that ``host`` is in exactly one way; raises DialRefused.

    Whatever two parsers could read differently (octal, hex, short forms, wide digits, brackets, zone ids,
    userinfo, escapes) is refused instead of interpreted.
    """
    if not host.isascii():
        return _parse_international(host)
    if PLAIN_V4.fullmatch(host):
        try:
            return IPv4Address(host)
        except AddressValueError:
            raise DialRefused("address_refused", host=host, reason="odd_form") from None
    if ":" in host:
        return _parse_v6(host)
    return _parse_name(host.lower(), host)


def _parse_v6(host: str) -> Address:
    if "%" in host:
        raise DialRefused("address_refused", host=host, reason="odd_form")
    try:
        return IPv6Address(host)
    except AddressValueError:
        raise DialRefused("address_refused", host=host, reason="odd_form") from None


def _parse_international(host: str) -> str:
    """Names with letters beyond ASCII go through IDNA; digits or dots beyond ASCII are a disguise."""
    if any(not character.isascii() and not character.isalpha() for character in host):
        raise DialRefused("address_refused", host=host, reason="odd_form")
    try:
        encoded = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise DialRefused("address_refused", host=host, reason="odd_form") from None
    if "xn--" not in encoded:  # folded into plain ASCII: circled or wide letters
        raise DialRefused("address_refused", host=host, reason="odd_form")
    return _parse_name(encoded, host)


def _parse_name(name: str, host: str) -> str:
    labels = name.split(".")
    numeric = labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1])
    if len(name) > 253 or numeric or not all(LABEL.fullmatch(label) for label in labels):
        raise DialRefused("address_refused", host=host, reason="odd_form")
    if any(name == suffix or name.endswith("." + suffix) for suffix in LOCAL_SUFFIXES):
        raise DialRefused("address_refused", host=host, reason="loopback")
    return name


async def find_way(
    host: str, port: int, allow: AddressAllowance, *, timeout: float = 5.0, resolver: Resolver | None = None
) -> Way:
    """Resolve once and judge every answer; raises DialRefused. ``timeout`` in seconds is for resolving."""
    parsed = parse_host(host)
    if not isinstance(parsed, str):
        return Way(host, port, (_judged(parsed, host, port, allow),), literal=True)
    answers = await _resolve(parsed, port, timeout, resolver or system_resolver)
    found = [ip_address(answer) for answer in answers]
    # One bad answer condemns them all: a name that points inside and outside at once is an attack or a slip.
    judged = dict.fromkeys(_judged(address, host, port, allow) for address in found)
    return Way(host, port, tuple(judged)[:MOST_ADDRESSES], literal=False)


def _judged(address: Address, host: str, port: int, allow: AddressAllowance) -> Address:
    reason = refusal(address, port, allow, own_addresses())
    if reason is not None:
        raise DialRefused("address_refused", host=host, reason=reason)
    return unmapped(address)


async def _resolve(name: str, port: int, timeout: float, resolver: Resolver) -> Sequence[str]:
    try:
        async with asyncio.timeout(timeout):
            answers = await resolver(name, port)
    except TimeoutError:
        raise DialRefused("dns_timeout", host=name) from None
    except socket.gaierror as error:
        missing = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        raise DialRefused("dns_nxdomain" if missing else "dns_failed", host=name) from None
    except (OSError, UnicodeError):
        raise DialRefused("dns_failed", host=name) from None
    if not answers:
        raise DialRefused("dns_nxdomain", host=name)
    return answers


async def system_resolver(name: str, port: int) -> Sequence[str]:
    """The machine's own resolver; the trailing dot keeps search domains of our network out of it.

    In a daemon thread of its own: the loop's executor would make ``run`` wait for a dead name server.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(name + ".", port, type=socket.SOCK_STREAM)
            addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
            _tell(loop, answer.set_result, answer, addresses)
        except OSError as error:
            _tell(loop, answer.set_exception, answer, error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    return await answer


def _tell(
    loop: asyncio.AbstractEventLoop, settle: Callable[[Any], None], answer: asyncio.Future[Any], value: object
) -> None:
    with suppress(RuntimeError):  # the loop has ended: nobody waits for this answer any more
        loop.call_soon_threadsafe(lambda: None if answer.done() else settle(value))


async def connect(way: Way, *, timeout: float = 5.0) -> Dialled:
    """Connect to the first judged address that answers; raises DialRefused. ``timeout`` is for all."""
    deadline = asyncio.get_running_loop().time() + timeout
    failure = DialRefused("tcp_timeout", host=way.host, port=way.port)
    for index, address in enumerate(way.addresses):
        left = deadline - asyncio.get_running_loop().time()
        try:
            return await _connect_one(address, way, left / (len(way.addresses) - index))
        except DialRefused as refused:
            failure = refused
    raise failure


async def _connect_one(address: Address, way: Way, timeout: float) -> Dialled:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    sock = HeardSocket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(max(timeout, 0.01)):
            await asyncio.get_running_loop().sock_connect(sock, (str(address), way.port))
        return _compared(sock, address, way)
    except (TimeoutError, OSError) as error:
        sock.close()
        raise DialRefused(_tcp_code(error), host=way.host, port=way.port, address=str(address)) from None
    except BaseException:
        sock.close()
        raise


def _compared(sock: HeardSocket, address: Address, way: Way) -> Dialled:
    """A NAT rule or a library's own idea of the address must not move us elsewhere unnoticed."""
    host, port = sock.getpeername()[:2]
    if port != way.port or (host != str(address) and unmapped(ip_address(host.partition("%")[0])) != address):
        sock.close()
        raise DialRefused("address_refused", host=way.host, reason="peer_differs")
    return Dialled(sock, address, way.port, sock.getsockname()[0])


def _tcp_code(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "tcp_timeout"
    number = error.errno if isinstance(error, OSError) else None
    codes = {
        errno.ECONNREFUSED: "tcp_refused",
        errno.ECONNRESET: "tcp_reset",
        errno.ENOTCONN: "tcp_reset",  # reset between connecting and asking for the peer's name
        errno.ETIMEDOUT: "tcp_timeout",
    }
    return codes.get(number or 0, "tcp_unreachable")


def own_addresses() -> Collection[Address]:
    """Addresses of this machine's interfaces, read each minute: services on one machine trust each other."""
    return _own_addresses(int(time.monotonic() // 60))


@lru_cache(maxsize=1)
def _own_addresses(_minute: int) -> Collection[Address]:
    return frozenset(map(ip_address, [*_kernel_v4(), *_kernel_v6()] or _source_addresses()))


def _kernel_v4() -> list[str]:
    """Linux: the routing trie marks each address of ours as a local host."""
    with suppress(OSError), Path("/proc/net/fib_trie").open(encoding="ascii") as trie:
        return re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie.read())
    return []


def _kernel_v6() -> list[str]:
    with suppress(OSError), Path("/proc/net/if_inet6").open(encoding="ascii") as table:
        return [":".join(re.findall("....", line.split()[0])) for line in table]
    return []


def _source_addresses() -> list[str]:
    """Where /proc is missing: the addresses the machine would send from (connecting UDP sends nothing)."""
    found = []
    for family, anywhere in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((anywhere, 9))
            found.append(sock.getsockname()[0].partition("%")[0])
    return found
