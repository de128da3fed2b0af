"""RDP: the service and its protocol, the certificate, the login by NLA. Nobody is thrown out.

A login is proven by CredSSP (NLA) alone: it ends before a session opens. Servers without NLA would only tell
at their own login screen, so their login stays unjudged. A changed certificate ends the check before it. A picture,
and nothing else, opens a session, where somebody has asked for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from probes.dial import Dialled, DialRefused, Way, connect
from probes.engine import utc_now
from probes.pace import Pace
from probes.picture import NoPicture, not_taken, taken
from probes.picture_rdp import Visit, read_session
from probes.rdp_nla import Account, Connection, MechanismRefused, Reached, UnusableAccount, prove_login
from probes.report import Outcome, Step, finding, good
from probes.target import CredentialKind, Depth, Target
from probes.tls import Secured, TlsFailed, secure
from probes.wire import WireError
from probes.wire.greetings import name_service
from probes.wire.x224 import (
    HEADER_BYTES,
    NLA,
    STANDARD,
    TLS,
    Confirm,
    connection_request,
    packet_length,
    read_confirm,
)

LONGEST_BUFFER = 64 * 1024
DAWDLING_SECONDS = 0.2


async def climb(dialled: Dialled, target: Target, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
    """The steps after ``port``; ends after a failed one. The caller closes the socket."""
    visit = _Visit(dialled, target, pace)
    try:
        step = await visit.negotiate()
        yield step
        if step.code is not None:
            return
        step = await visit.encrypt()
        yield step
        if step.outcome == "fail" or depth < Depth.LOGIN:
            return
        login = await visit.log_in()
        yield login
        if depth >= Depth.PICTURE and visit.can_be_seen(login):
            await visit.close()  # xrdp, for one, serves a single visitor well
            yield await visit.take_picture(login)
    finally:
        await visit.close()


@dataclass(slots=True)
class _Visit:
    """One connection from the first packet to the login; a second one only where a mechanism was refused."""

    dialled: Dialled
    target: Target
    pace: Pace
    confirm: Confirm = field(init=False)
    secured: Secured = field(init=False)
    connections: list[Connection] = field(default_factory=list)
    others: list[Dialled] = field(default_factory=list)

    async def negotiate(self) -> Step:
        """Whether this is RDP at all, and which security it chooses."""
        facts = self._where()
        try:
            async with self.pace.within(self.pace.limits.banner):
                self.confirm = await _ask(self.dialled)
        except TimeoutError:
            return finding("x224", self.pace.late_code("rdp_no_answer"), facts, self.pace.lap())
        except _NotRdp as other:
            code = "closed_before_banner" if other.service == "" else "not_rdp"
            named = {"service": other.service} if other.service else {}
            return finding("x224", code, {**facts, **named, "reason": "rdp"}, self.pace.lap())
        except OSError:
            facts["address"] = str(self.dialled.address)
            return finding("x224", "tcp_reset", facts, self.pace.lap())
        return self._chosen(facts)

    def _chosen(self, facts: dict[str, Any]) -> Step:
        failure, number = self.confirm.failure, self.confirm.number
        if failure is not None and failure != "tls_not_allowed":
            return finding("x224", "rdp_negotiation_failed", {**facts, "reason": failure}, self.pace.lap())
        if failure is not None or number == STANDARD:
            return finding("x224", "rdp_unencrypted", facts, self.pace.lap())
        if number not in (TLS, NLA):  # never asked for: a server that does not listen
            facts |= {"reason": "unasked", "protocol": self.confirm.protocol}
            return finding("x224", "rdp_negotiation_failed", facts, self.pace.lap())
        return good("x224", {**facts, "protocol": self.confirm.protocol}, self.pace.lap())

    async def encrypt(self) -> Step:
        """TLS, and what is to be said of its certificate."""
        pins, now = self.target.pins, utc_now()
        try:
            self.secured = await self._secure(self.dialled)
        except TlsFailed as failed:
            facts = {**self._where(), "reason": failed.reason, "protocol": self.confirm.protocol}
            code = self.pace.late_code("tls_failed") if failed.reason == "timeout" else "tls_failed"
            return finding("tls", code, facts, self.pace.lap())
        if self.secured.certificate is None:
            facts = {**self._where(), "reason": "anonymous", "protocol": self.confirm.protocol}
            return finding("tls", "tls_failed", facts, self.pace.lap())
        facts = {**self._where(), **self.secured.facts(pins, now)}
        found, ms = self.secured.certificate.code(pins, now), self.pace.lap()
        return good("tls", facts, ms) if found is None else finding("tls", found, facts, ms)

    async def log_in(self) -> Step:
        """The login, or why it could not be tried."""
        facts = {
            **self._where(),
            "username": self.target.username,
            "credential": str(self.target.credential.kind),
        }
        if self.confirm.number != NLA:
            return finding("login", "rdp_login_not_checkable", {**facts, "reason": "no_nla"})
        try:
            account = _account(self.target)
        except UnusableAccount as unusable:
            return finding("login", "credential_unusable", {**facts, "reason": unusable.problem})
        try:
            async with self.pace.within(self.pace.limits.auth):
                reached = await self._proven(account)
        except TimeoutError:
            return finding("login", self.pace.late_code("rdp_login_timeout"), facts, self.pace.lap())
        facts |= reached.facts
        ms = self.pace.lap()
        return good("login", facts, ms) if reached.code is None else finding("login", reached.code, facts, ms)

    async def _proven(self, account: Account) -> Reached:
        """Bare NTLM first, which all know; SPNEGO where it is refused before anybody was named."""
        certificate = self.secured.certificate
        if certificate is None:
            raise ValueError("a login needs the certificate to bind to")
        try:
            return await prove_login(self.connections[0], certificate, account, utc_now)
        except MechanismRefused as refused:
            again = await self._again()
            if again is None:
                return refused.reached
        try:
            return await prove_login(again, certificate, account, utc_now, spnego=True)
        except MechanismRefused as refused:
            return refused.reached

    async def _again(self) -> Connection | None:
        """A second connection to the same number; None unless it shows the same certificate."""
        way = Way(self.target.host, self.dialled.port, (self.dialled.address,), literal=True)
        try:
            dialled = await connect(way, timeout=self.pace.limits.tcp)
        except DialRefused:
            return None
        self.others.append(dialled)
        try:
            confirm = await _ask(dialled)
            secured = await self._secure(dialled)
        except (_NotRdp, TlsFailed, OSError):
            return None
        same = confirm.number == NLA and secured.certificate == self.secured.certificate
        return self.connections[-1] if same and confirm.answer == "chosen" else None

    async def _secure(self, dialled: Dialled) -> Secured:
        """Streams only from here on: what came unencrypted after the confirm meets TLS and fails there."""
        reader, writer = await asyncio.open_connection(sock=dialled.sock, limit=LONGEST_BUFFER)
        self.connections.append(Connection(reader, writer))
        return await secure(writer, self.target.host, self.pace)

    def can_be_seen(self, login: Step) -> bool:
        """Behind a login that NLA has proven, or before one that this server leaves to its own screen."""
        return login.outcome is Outcome.OK or self.confirm.number == TLS

    async def take_picture(self, login: Step) -> Step:
        """What is on the screen of a session opened for it; why there is none is no fault of the access."""
        certificate, proven = self.secured.certificate, login.outcome is Outcome.OK
        if certificate is None:
            raise ValueError("a picture needs the certificate to hold to")
        facts = {**self._where(), "shows": "session" if proven else "before_login"}
        password = self.target.credential.value if proven else None
        address, pin = str(self.dialled.address), certificate.fingerprint
        visit = Visit(address, self.dialled.port, pin, self.target.username, password)
        limits = self.pace.limits
        try:
            canvas = await read_session(visit, self.pace.left(limits.picture))
        except NoPicture as no:
            return not_taken(no, facts, self.pace.lap())
        return await taken(canvas, facts, self.pace.lap())

    def _where(self) -> dict[str, Any]:
        return {
            "host": self.target.host,
            "port": self.dialled.port,
            "source_address": self.target.source_address,
        }

    async def close(self) -> None:
        """Drop the connections; RDP has no goodbye before a session."""
        for connection in self.connections:
            connection.writer.transport.abort()
        await asyncio.sleep(0)  # the transports close their sockets in the loop's next turn
        for dialled in self.others:
            dialled.sock.close()


class _NotRdp(Exception):
    """Another service; ``service`` is its name, None if unknown, empty if it closed without a word."""

    def __init__(self, service: str | None) -> None:
        super().__init__(service)
        self.service = service


async def _ask(dialled: Dialled) -> Confirm:
    """Send the request and read the confirm, and not one byte more; raises _NotRdp or OSError."""
    await asyncio.get_running_loop().sock_sendall(dialled.sock, connection_request())
    said = b""
    try:
        said = await _read(dialled, HEADER_BYTES, said)
        said = await _read(dialled, packet_length(said), said)
        return read_confirm(said)
    except WireError:
        # A few bytes more tell who it is; whoever dawdles stays unnamed.
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(DAWDLING_SECONDS):
                said += await asyncio.get_running_loop().sock_recv(dialled.sock, 512)
        raise _NotRdp(name_service(said)) from None


async def _read(dialled: Dialled, size: int, said: bytes) -> bytes:
    """Go on reading until ``size`` bytes are there; raises _NotRdp when the far end closes before."""
    while len(said) < size:
        more = await asyncio.get_running_loop().sock_recv(dialled.sock, size - len(said))
        if not more:
            raise _NotRdp(name_service(said) if said else "")
        said += more
    return said


def _account(target: Target) -> Account:
    """Who logs in; raises UnusableAccount."""
    if target.credential.kind is not CredentialKind.PASSWORD or not target.username:
        raise UnusableAccount("password_needed")
    return Account.of(target.username, target.credential.value or "")
