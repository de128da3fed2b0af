"""HTTP over connections that our own guard opened: httpcore reads and writes, it never dials.

The first connection is the one the ladder already has; every further one (the server closed it, or a redirect
leads elsewhere) goes through the same gate, and its certificate must bear the same judgement.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

LONGEST_BODY = 256 * 1024
AGENT = b"Ventana-probe"
_GZIP_OR_ZLIB = 47
Header = tuple[bytes, bytes]


class BrokenHttp(Exception):
    """The far end does not keep to HTTP; ``reason`` is a stable word: closed, protocol, encoding, not_json."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Line(httpcore.AsyncNetworkStream):
    """A connection as httpcore wants it, encrypted already or never."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @property
    def ended(self) -> bool:
        """Whether the far end has closed it."""
        return self._reader.at_eof() or self.writer.transport.is_closing()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Time limits are the pace's, around the whole request: a drip of bytes must not renew them."""
        try:
            return await self._reader.read(max_bytes)
        except (OSError, ssl.SSLError) as error:
            raise httpcore.ReadError(type(error).__name__) from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self.writer.write(buffer)
            await self.writer.drain()
        except (OSError, ssl.SSLError) as error:
            raise httpcore.WriteError(type(error).__name__) from None

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Line:
        """Nothing: a line for an encrypted page is made encrypted and judged, before httpcore sees it."""
        return self

    async def aclose(self) -> None:
        """Drop it: a goodbye would wait for a far end that may never answer."""
        self.writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """Of all that httpcore may ask only this matters: whether an idle line has ended."""
        return self.ended if info == "is_readable" else None


Opener = Callable[[str, int], Awaitable[Line]]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Hands out lines of the opener, which is the only one who dials."""

    def __init__(self, opener: Opener) -> None:
        self._open = opener

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Line:
        return await self._open(host, port)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: scheme, host as dialled, port and path with query."""

    scheme: str
    host: str
    port: int
    path: str = "/"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host.lower(), self.port

    def at(self, path: str) -> Place:
        """Another page of the same server."""
        return Place(self.scheme, self.host, self.port, path)

    @property
    def shown(self) -> str:
        """As a browser would show it, without the query."""
        path = self.path.partition("?")[0]
        return f"{self.scheme}://{self._bracketed}:{self.port}{path}"[:200]

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def request_url(self) -> httpcore.URL:
        host = self.host if self.host.isascii() else self.host.encode("idna").decode("ascii")
        return httpcore.URL(
            scheme=self.scheme.encode(), host=host.encode(), port=self.port, target=self.path.encode("ascii")
        )

    def host_header(self) -> bytes:
        """The name as the virtual host knows it; the port unless it is the scheme's own (RFC 9110 §7.2)."""
        host = self._bracketed.encode("idna") if not self.host.isascii() else self._bracketed.encode()
        own = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == own else host + f":{self.port}".encode()


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: status, headers, and at most LONGEST_BODY bytes of the body, decompressed."""

    place: Place
    status: int
    headers: Sequence[Header]
    body: bytes
    whole: bool

    def header(self, name: str) -> str:
        """The header's first value as one harmless line, or an empty text."""
        wanted = name.lower().encode()
        value = next((value for key, value in self.headers if key.lower() == wanted), b"")
        return "".join(sign for sign in value.decode("latin-1")[:500] if sign.isprintable())

    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body's JSON; raises BrokenHttp."""
        try:
            return json.loads(self.body) if self.whole else None
        except (ValueError, RecursionError):
            raise BrokenHttp("not_json") from None

    def cookies(self) -> str:
        """What to send back of its cookies: names and values only, a dozen at most (RFC 6265 §4.2)."""
        pairs = [value.partition(b";")[0] for key, value in self.headers if key.lower() == b"set-cookie"]
        plain = [pair.decode("latin-1").strip() for pair in pairs[:12] if len(pair) < 4096]
        return "; ".join(pair for pair in plain if "=" in pair and pair.isprintable())


class Browser:
    """One visit: a pool of a single line at a time, no proxies, no environment, no retries, no redirects."""

    def __init__(self, opener: Opener) -> None:
        # At DEBUG httpcore logs the answer's headers, session cookies among them.
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._pool = httpcore.AsyncConnectionPool(
            # Never used, as the lines come encrypted; without one httpcore would load every authority.
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            max_connections=1,
            max_keepalive_connections=1,
            retries=0,
            network_backend=GuardedBackend(opener),
        )

    async def get(self, place: Place, headers: Mapping[str, str] | None = None) -> Page:
        """Ask for a page; raises BrokenHttp, and whatever the opener raises."""
        return await self._ask("GET", place, headers or {}, None)

    async def post(self, place: Place, content: Mapping[str, str]) -> Page:
        """Send JSON, once: what was sent is never sent again; raises like ``get``."""
        headers = {"Content-Type": "application/json"}
        return await self._ask("POST", place, headers, json.dumps(content).encode())

    async def _ask(
        self, method: str, place: Place, headers: Mapping[str, str], content: bytes | None
    ) -> Page:
        sent: list[Header] = [(b"Host", place.host_header()), (b"User-Agent", AGENT)]
        sent += [(b"Accept", b"application/json, text/html;q=0.9"), (b"Accept-Encoding", b"identity")]
        sent += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        try:
            async with self._pool.stream(
                method, place.request_url(), headers=sent, content=content
            ) as answer:
                body, whole = await _read_body(answer)
        except (httpcore.ReadError, httpcore.WriteError, httpcore.ConnectError):
            raise BrokenHttp("closed") from None
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.PoolTimeout) as error:
            raise BrokenHttp("closed" if "without sending" in str(error) else "protocol") from None
        return Page(place, answer.status, answer.headers, body, whole)

    async def aclose(self) -> None:
        """Drop the line."""
        await self._pool.aclose()


async def _read_body(answer: httpcore.Response) -> tuple[bytes, bool]:
    """The body up to the cap and whether it is whole; compressed bytes grow no further than the cap either."""
    kept, whole = bytearray(), True
    unpack = unpacker(answer.headers)
    async for chunk in answer.aiter_stream():
        if len(kept) >= LONGEST_BODY:
            whole = False
            break
        kept += unpack(chunk, LONGEST_BODY - len(kept) + 1)
    whole = whole and len(kept) <= LONGEST_BODY
    return bytes(kept[:LONGEST_BODY]), whole


def unpacker(headers: Iterable[Header]) -> Callable[[bytes, int], bytes]:
    """What turns a chunk into at most so many bytes of content; raises BrokenHttp for an encoding not asked for."""
    encoding = next((value for name, value in headers if name.lower() == b"content-encoding"), b"identity")
    if encoding.strip().lower() in (b"identity", b""):
        return lambda chunk, room: chunk[:room]
    if encoding.strip().lower() not in (b"gzip", b"deflate"):
        raise BrokenHttp("encoding")
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB)

    def unpack(chunk: bytes, room: int) -> bytes:
        try:
            return inflate.decompress(chunk, room)
        except zlib.error:
            raise BrokenHttp("encoding") from None

    return unpack
