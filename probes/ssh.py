"""SSH: service, key exchange, host key, login, command, Asterisk. One TCP connection per check.

asyncssh does the protocol; this file decides what may be sent and what its failures mean. A changed host key
ends the check before any authentication; a password only travels to a key that a person has confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import asyncssh

from probes import ffdh
from probes.asterisk import ask_asterisk
from probes.dial import Dialled
from probes.keys import fingerprint, public_line
from probes.ladders import steps_for
from probes.pace import Pace
from probes.report import Facts, Outcome, Step, finding, good
from probes.second_opinion import confirmed
from probes.shell import Answer, run_command
from probes.ssh_algorithms import Agreed, agree, offer, would_legacy_do
from probes.ssh_banner import check_banner
from probes.ssh_client import Watcher, connect_options
from probes.ssh_distribution import PROOF, WHO_ARE_YOU, name_distribution, starts_by_service
from probes.target import CredentialKind, Depth, Target
from probes.wire import WireError
from probes.wire.ssh import find_identification, find_mismatch, read_kexinit

NOLOGIN = ("account is currently not available", "account is not available", "nologin")
EXPIRED = ("password has expired", "password change required", "must change your password")
# What hostile or broken bytes make of asyncssh and cryptography, beside asyncssh.Error.
BROKEN = (ValueError, ArithmeticError, IndexError, KeyError, OverflowError)


async def climb(dialled: Dialled, target: Target, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
    """The steps after ``port``; ends after a failed one. The caller closes the socket."""
    ffdh.install()
    step = await check_banner(dialled, target, pace)
    if step.code is not None:
        yield await confirmed(step, dialled, target, pace)
        return
    yield step
    handshake = _Handshake(dialled, target, pace, wants_login=depth >= Depth.LOGIN)
    try:
        met = await handshake.meet()
        if met[0].outcome is Outcome.FAIL:
            await handshake.close()
            yield await confirmed(met[0], dialled, target, pace)
            return
        for step in met:
            yield step
        if handshake.over:
            return
        step = await handshake.log_in()
        yield step
        if step.code is not None or depth < Depth.FUNCTION:
            return
        function = _Function(handshake.connection, target, pace)
        step = await function.command()
        yield step
        if step.code is None and "asterisk" in steps_for("ssh", depth, target.platform):
            yield await function.asterisk(step.facts.get("distribution"))
    finally:
        await handshake.close()


class _Handshake:
    """One connection from key exchange to login, its phases made visible."""

    def __init__(self, dialled: Dialled, target: Target, pace: Pace, *, wants_login: bool) -> None:
        self._dialled = dialled
        self._target = target
        self._pace = pace
        self._withheld = _withheld(target) if wants_login else None
        self._wants_login = wants_login
        stop = not wants_login or self._withheld is not None
        self.watcher = Watcher(target, dialled.sock.heard, stop_before_auth=stop)
        self._connecting = asyncio.ensure_future(
            asyncssh.connect(sock=dialled.sock, **connect_options(target, self.watcher))
        )
        self.over = True

    @property
    def connection(self) -> asyncssh.SSHClientConnection:
        return self._connecting.result()

    async def meet(self) -> list[Step]:
        """Key exchange and host key."""
        exchanged = self.watcher.exchanged
        limit = self._pace.left(self._pace.limits.kex)
        waited: set[asyncio.Future[Any]] = {self._connecting, exchanged}
        await asyncio.wait(waited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if not exchanged.done() and not self._connecting.done():
            code = self._pace.late_code("kex_timeout")
            return [finding("kex", code, self._where(), self._pace.lap())]
        changed = self.watcher.host_key is not None and not self.watcher.key_accepted
        if not exchanged.done() and not changed:
            return [self._kex_finding(_failure(self._connecting))]
        ms = self._pace.lap()
        self.over = changed or not self._wants_login
        return [self._kex_step(ms), self._host_key_step(changed)]

    def _host_key_step(self, changed: bool) -> Step:
        line = public_line(self.watcher.host_key)
        facts = {
            **self._where(),
            "algorithm": line.split()[0],
            "public_key": line,
            "fingerprint": fingerprint(line),
        }
        if changed:
            facts["expected"] = ", ".join(sorted(map(fingerprint, self._target.pins)))
            return finding("host_key", "hostkey_changed", facts)
        return good("host_key", facts) if self._target.pins else finding("host_key", "hostkey_unknown", facts)

    def _kex_step(self, ms: float) -> Step:
        """Good or, once the key is confirmed, what is weak: before that, confirming it is what has to be done."""
        agreed = self._agreed()
        facts: dict[str, Any] = {
            "profile": self._target.profile,
            "source_address": self._target.source_address,
        }
        if agreed is not None:
            facts |= {each.name: getattr(agreed, each.name) for each in fields(agreed)} | {
                "weak": agreed.weak
            }
        # An offer that we could not read is held against a server that was let use old algorithms.
        weak = bool(agreed.weak) if agreed is not None else self._target.profile == "legacy"
        if weak and self._target.pins:
            return finding("kex", "weak_algorithms", facts, ms)
        return good("kex", facts, ms)

    def _agreed(self) -> Agreed | None:
        try:
            return agree(offer(self._target), read_kexinit(bytes(self._dialled.sock.heard)))
        except WireError:
            return None

    def _kex_finding(self, error: BaseException) -> Step:
        """Why it failed, by the server's offer first: some arrive as a bare connection loss."""
        facts: dict[str, Any] = self._where()
        ms = self._pace.lap()
        with suppress(WireError):
            theirs = read_kexinit(bytes(self._dialled.sock.heard))
            missing = find_mismatch(offer(self._target), theirs)
            if missing is not None:
                facts |= {"what": missing.what, "offered": list(missing.theirs[:20])}
                if self._target.profile == "modern" and would_legacy_do(theirs):
                    facts |= {"legacy": True, "reason": "legacy"}
                return finding("kex", "kex_mismatch", facts, ms)
        if isinstance(error, asyncssh.KeyExchangeFailed) and "No matching" in str(error):
            return finding("kex", "kex_mismatch", facts, ms)
        if isinstance(error, asyncssh.ConnectionLost | OSError) or _hung_up(error):
            return finding("kex", "disconnected_in_kex", facts, ms)
        if isinstance(error, (asyncssh.Error, *BROKEN)):
            return finding("kex", "kex_failed", {**facts, "reason": type(error).__name__}, ms)
        raise error

    async def log_in(self) -> Step:
        """The login, or why it was not tried."""
        facts: dict[str, Any] = {
            "username": self._target.username,
            "credential": str(self._target.credential.kind),
        }
        if self._withheld is not None:
            if self.watcher.host_key is not None:
                facts["fingerprint"] = fingerprint(public_line(self.watcher.host_key))
            return finding("login", self._withheld, facts, self._pace.lap())
        await asyncio.wait({self._connecting}, timeout=self._pace.left(self._pace.limits.auth))
        facts["tried"] = self.watcher.way if self.watcher.tried else facts["credential"]
        ms = self._pace.lap()
        if not self._connecting.done():
            return finding("login", self._pace.late_code("auth_timeout"), facts, ms)
        error = self._connecting.exception()
        if error is None:
            return good("login", {**facts, "tried": self.watcher.way}, ms)
        return finding("login", self._login_code(error), {**facts, **self._login_facts()}, ms)

    def _login_code(self, error: BaseException) -> str:
        if self.watcher.password_expired:
            return "password_expired"
        if isinstance(error, asyncssh.PermissionDenied):
            if not self.watcher.tried or self.watcher.wants_more:
                return "auth_method_not_offered"
            return "key_unsupported" if self._key_is_newer() else "auth_failed"
        if "too many authentication failures" in str(error).lower():
            return "auth_too_many_failures"
        if isinstance(error, (asyncssh.Error, OSError, *BROKEN)):
            return "disconnected_in_auth"
        raise error

    def _key_is_newer(self) -> bool:
        """Whether the key is of a kind that this server cannot know: installing it there would not help."""
        line = self._target.credential.public_line
        found = find_identification(bytes(self._dialled.sock.heard))
        return bool(line and found and found[0].predates(line.split()[0]))

    def _login_facts(self) -> Facts:
        line = self._target.credential.public_line
        own = {"public_line": line, "key_kind": line.split()[0]} if line else {}
        return {"offered": list(self.watcher.offered), **own}

    def _where(self) -> dict[str, Any]:
        return {"host": self._target.host, "port": self._dialled.port}

    async def close(self) -> None:
        """Say goodbye within a second; a far end that does not listen is dropped."""
        if not self._connecting.done():
            self._connecting.cancel()
        with suppress(asyncssh.Error, OSError, TimeoutError, asyncio.CancelledError, *BROKEN):
            connection = await self._connecting
            connection.close()
            async with asyncio.timeout(1.0):
                await connection.wait_closed()
        self.watcher.abort()


def _withheld(target: Target) -> str | None:
    """Why no login is tried, if none is."""
    if target.credential.kind is CredentialKind.NONE or not target.username:
        return "credential_unusable"
    if target.credential.kind is CredentialKind.PASSWORD and not _can_be_sent(target.credential.value or ""):
        return "credential_unusable"
    if target.credential.kind is CredentialKind.PASSWORD and not (target.pins or target.trust_first_use):
        return "password_withheld"
    return None


def _can_be_sent(password: str) -> bool:
    """UTF-8 (RFC 4252 §8) without NUL, where the server's own functions would end it."""
    try:
        return b"\0" not in password.encode()
    except UnicodeEncodeError:
        return False


def _failure(connecting: asyncio.Future[Any]) -> BaseException:
    error = connecting.exception()
    return error if error is not None else asyncssh.ProtocolError("login before key exchange")


def _hung_up(error: BaseException) -> bool:
    """A disconnect message of the server's, as against an error that asyncssh found."""
    return type(error) is asyncssh.DisconnectError


@dataclass(frozen=True, slots=True)
class _Function:
    """What the account can do once it is in."""

    connection: asyncssh.SSHClientConnection
    target: Target
    pace: Pace

    async def _run(self, command: str) -> Answer:
        async with self.pace.within(self.pace.limits.command):
            return await run_command(self.connection, command)

    async def command(self) -> Step:
        """A harmless command whose output we know: a menu or a forced command does not pass for a shell."""
        facts: dict[str, Any] = {"username": self.target.username}
        try:
            answer = await self._run(WHO_ARE_YOU)
        except (TimeoutError, asyncssh.Error, OSError) as error:
            return finding("command", self._broken(error), facts, self.pace.lap())
        if PROOF in answer.out.split():
            facts["distribution"] = name_distribution(answer.out)
            return good("command", facts, self.pace.lap())
        said = {**facts, "said": answer.excerpt(), "exit_status": answer.status}
        return finding("command", _command_code(answer), said, self.pace.lap())

    async def asterisk(self, distribution: str | None) -> Step:
        """Whether the PBX itself answers; the system decides by which command it is started."""
        try:
            step = await ask_asterisk(self._run, self.target.username)
        except (TimeoutError, asyncssh.Error, OSError) as error:
            step = finding("asterisk", self._broken(error), {"username": self.target.username})
        facts = step.facts
        if step.code == "asterisk_down" and starts_by_service(distribution):
            facts = {**facts, "reason": "sysv"}
        return Step(step.name, step.outcome, step.code, facts, self.pace.lap())

    def _broken(self, error: Exception) -> str:
        return self.pace.late_code("cmd_timeout") if isinstance(error, TimeoutError) else "session_refused"


def _command_code(answer: Answer) -> str:
    said = answer.text.lower()
    if any(word in said for word in EXPIRED):
        return "password_expired"
    if any(word in said for word in NOLOGIN):
        return "account_nologin"
    return "cmd_killed" if answer.killed else "cmd_unexpected_output"
