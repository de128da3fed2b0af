"""Ask or tell an address that a person gave us, through the gate that probes dial through.

Beside the checks the only place that knows the probes (ADR 10): the address guard is theirs, and a second one would
be a second chance to be wrong. What the far end does is a value here, never an exception.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore

from probes.addresses import AddressAllowance
from probes.dial import DialRefused, Resolver, connect, find_way
from probes.web_http import BrokenHttp, GuardedBackend, Line, Place, unpacker

Answer = TypeVar("Answer")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
AGENT = "Ventana"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost us."""

    longest_body: int = 5 * 1024 * 1024
    """Bytes, after unpacking."""
    seconds: float = 10.0
    """For everything: names, connections, redirects and the body. A drip of bytes does not renew it."""
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer 200, or 304 with an empty body."""

    status: int
    body: bytes = b""
    charset: str = ""
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Why nothing was fetched: a stable code and its facts, none of which repeats the address."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class _Stopped(Exception):
    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.failed = Failed(code, facts)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Speaks HTTP with the operator's allowance; one line at a time, no proxies, no environment, no cookies."""

    allow: AddressAllowance
    limits: Limits = Limits()
    resolver: Resolver | None = None

    def get(self, url: str, headers: Mapping[str, str]) -> Fetched | Failed:
        """The document at an http or https address, following redirects through the same gate.

        `headers` are for the condition (If-None-Match, If-Modified-Since). Codes: address_refused, dns, unreachable,
        tls, timeout, too_large, too_many_redirects, insecure_redirect, bad_redirect, login, gone, status, broken_http.
        """
        return asyncio.run(self._within_time(self._follow(url, headers)))

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Failed | None:
        """Hand a document over; None when it was taken (status 2xx).

        Redirects are not followed, since they would send what was signed for one address to another, and of the
        answer only its head is read. Codes as of `get`.
        """
        return asyncio.run(self._within_time(self._hand_over(url, headers, body)))

    async def _within_time(self, work: Awaitable[Answer]) -> Answer | Failed:
        logging.getLogger("httpcore").setLevel(logging.WARNING)  # at DEBUG it logs whole addresses
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await work
        except TimeoutError:
            return Failed("timeout", {"seconds": self.limits.seconds})
        except _Stopped as stopped:
            return stopped.failed
        except DialRefused as refused:
            return _not_dialled(refused)
        except ssl.SSLError as error:
            return Failed("tls", {"reason": getattr(error, "verify_message", "") or error.reason or ""})
        except (OSError, BrokenHttp, httpcore.NetworkError, httpcore.ProtocolError, httpcore.PoolTimeout):
            return Failed("broken_http")

    async def _follow(self, url: str, headers: Mapping[str, str]) -> Fetched:
        for _ in range(self.limits.redirects + 1):
            place = _place(url)
            answer = await self._ask(place, headers)
            if isinstance(answer, Fetched):
                return answer
            url = _joined(url, answer)
            if place.scheme == "https" and url.lower().startswith("http:"):
                raise _Stopped("insecure_redirect")
        raise _Stopped("too_many_redirects", most=self.limits.redirects)

    async def _ask(self, place: Place, headers: Mapping[str, str]) -> Fetched | str:
        """The answer, or where a redirect leads."""
        asked = {"Accept": "text/calendar, */*;q=0.5", "Accept-Encoding": "gzip", **headers}
        async with self._exchange("GET", place, asked) as answer:
            return await self._read(answer)

    async def _hand_over(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        async with self._exchange("POST", _place(url), headers, body) as answer:
            if not 200 <= answer.status < 300:
                raise _Stopped(_code_of(answer.status), status=answer.status)

    @asynccontextmanager
    async def _exchange(
        self, method: str, place: Place, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[httpcore.Response]:
        """One request on a line of its own, which is closed with the answer however much of it is still to come."""
        sent = {"User-Agent": AGENT, **headers}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        lines = [(b"Host", place.host_header())]
        lines += [(name.encode(), value.encode("latin-1", "ignore")) for name, value in sent.items()]

        async def dial(host: str, port: int) -> Line:
            return await self._line(host, port, encrypted=place.scheme == "https")

        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # never used: lines come encrypted
                max_connections=1,
                retries=0,
                network_backend=GuardedBackend(dial),
            ) as pool,
            pool.stream(method, place.request_url(), headers=lines, content=body) as answer,
        ):
            yield answer

    async def _line(self, host: str, port: int, *, encrypted: bool) -> Line:
        way = await find_way(host, port, self.allow, timeout=self.limits.seconds, resolver=self.resolver)
        dialled = await connect(way, timeout=self.limits.seconds)
        if not encrypted:
            return Line(*await asyncio.open_connection(sock=dialled.sock))
        name = host if host.isascii() else host.encode("idna").decode("ascii")
        return Line(*await asyncio.open_connection(sock=dialled.sock, ssl=_trust(), server_hostname=name))

    async def _read(self, answer: httpcore.Response) -> Fetched | str:
        status, headers = answer.status, _first_of_each(answer)
        if status in REDIRECTS and "location" in headers:
            return headers["location"]
        if status not in (200, 304):
            raise _Stopped(_code_of(status), status=status)
        body = b"" if status == 304 else await self._body(answer)
        return Fetched(status, body, _charset(headers), headers.get("etag"), headers.get("last-modified"))

    async def _body(self, answer: httpcore.Response) -> bytes:
        kept, unpack, most = bytearray(), unpacker(answer.headers), self.limits.longest_body
        async for chunk in answer.aiter_stream():
            kept += unpack(chunk, most + 1 - len(kept))
            if len(kept) > most:
                raise _Stopped("too_large", most=most)
        return bytes(kept)


def _code_of(status: int) -> str:
    return {401: "login", 403: "login", 404: "gone", 410: "gone"}.get(status, "status")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise _Stopped("bad_redirect") from None


def _place(url: str) -> Place:
    """Raises _Stopped for what a redirect may lead to but nobody may fetch: another scheme, a login inside."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _Stopped("bad_redirect") from None
    scheme, host = parts.scheme.lower(), parts.hostname
    target = parts._replace(scheme="", netloc="", fragment="").geturl()
    target = target if target.startswith("/") else f"/{target}"
    if scheme not in ("http", "https") or not host or parts.username is not None or not target.isascii():
        raise _Stopped("bad_redirect")
    return Place(scheme, host, port or {"http": 80, "https": 443}[scheme], target)


def _trust() -> ssl.SSLContext:
    """The system's authorities; a bare machine has none, so those of certifi."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context


def _not_dialled(refused: DialRefused) -> Failed:
    if refused.code == "address_refused":
        return Failed("address_refused", {"reason": refused.facts.get("reason", "")})
    return Failed("dns" if refused.code.startswith("dns") else "unreachable")


def _first_of_each(answer: httpcore.Response) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in answer.headers:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1")[:2000].strip())
    return found


def _charset(headers: Mapping[str, str]) -> str:
    """The charset parameter of Content-Type (RFC 9110 §8.3.2), empty when there is none."""
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return ""
