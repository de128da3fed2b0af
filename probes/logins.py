"""How often a login is tried at one address and port, whoever asks: wrong ones lock accounts and addresses.

An attempt is written down before the connection is made that could carry the credential, and settled
afterwards. One that was never settled (the program died in between) counts as refused: nobody knows whether the
credential went out, so it must not go out a second time unnoticed.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol

from probes.ladders import steps_for
from probes.report import Outcome, Step, finding
from probes.target import CredentialKind, Depth, Target

WINDOW = timedelta(minutes=15)
# What an attempt ended with, if nothing was sent for it: the steps before it failed, or we held it back.
NEVER_SENT = frozenset(
    {"credential_unusable", "password_withheld", "panel_credential_missing", "rdp_login_not_checkable"}
)

Ending = Literal["accepted", "refused", "withdrawn"]


class Why(StrEnum):
    """Why a login is put off."""

    RATE = "rate"
    REFUSALS = "refusals"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class PutOff:
    """A login that is not tried now, and from when it may be; None where waiting would not help."""

    why: Why
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Logins per target and window: of any outcome, and refused ones that could lock an account."""

    logins: int = 20
    refusals: int = 4

    def judge(self, recent: Iterable[Attempt], now: datetime) -> PutOff | None:
        """Whether one more is too many, from the target's attempts; those before the window do not count."""
        counting = sorted((one for one in recent if one.counts(now)), key=lambda one: one.started_at)
        counted = [one.started_at for one in counting]
        refused = [one.started_at for one in counting if one.locks]
        for instants, most, why in (
            (refused, self.refusals, Why.REFUSALS),
            (counted, self.logins, Why.RATE),
        ):
            if len(instants) >= most:
                return PutOff(why, instants[-most] + WINDOW)
        return None


@dataclass(slots=True)
class Attempt:
    """One login at ``address``:``port``; ``guessable`` when a wrong one may lock somebody out."""

    address: str
    port: int
    guessable: bool
    started_at: datetime
    ending: Ending | None = None

    def counts(self, now: datetime) -> bool:
        return self.ending != "withdrawn" and now - self.started_at < WINDOW

    @property
    def locks(self) -> bool:
        return self.guessable and self.ending != "accepted"


class Logins(Protocol):
    """Where attempts are kept. Called inside the event loop, while the target's turn is held."""

    def begin(self, address: str, port: int, *, guessable: bool) -> object:
        """Write the attempt down and return its handle, or the PutOff that forbids it."""
        ...

    def settle(self, handle: object, ending: Ending) -> None:
        """Write down how the attempt ended."""
        ...


@dataclass(slots=True)
class RememberedLogins:
    """Attempts of this process, kept in memory for one window; safe to share between threads."""

    clock: Callable[[], datetime]
    allowance: Allowance = field(default_factory=Allowance)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _kept: defaultdict[tuple[str, int], deque[Attempt]] = field(
        default_factory=lambda: defaultdict(deque), init=False
    )

    def begin(self, address: str, port: int, *, guessable: bool) -> Attempt | PutOff:
        now = self.clock()
        with self._lock:
            kept = self._kept[address, port]
            while kept and not kept[0].counts(now):
                kept.popleft()
            put_off = self.allowance.judge(kept, now)
            if put_off is not None:
                return put_off
            attempt = Attempt(address, port, guessable, now)
            kept.append(attempt)
            return attempt

    def settle(self, handle: object, ending: Ending) -> None:
        if isinstance(handle, Attempt):
            with self._lock:
                handle.ending = ending


class Barred:
    """Every login is put off: this account was refused already, and waiting would not mend that."""

    def begin(self, address: str, port: int, *, guessable: bool) -> PutOff:
        return PutOff(Why.REFUSALS, None)

    def settle(self, handle: object, ending: Ending) -> None:
        """Nothing was begun."""


def guessable(target: Target) -> bool:
    """Passwords can be guessed, and VNC servers count every visit without a login; keys lock nobody out."""
    return target.method == "vnc" or target.credential.kind is CredentialKind.PASSWORD


def logs_in(target: Target, depth: Depth) -> bool:
    """Whether a climb may carry a credential, or is counted by the far end as if it did."""
    wanted = "login" in steps_for(target.method, depth, target.platform)
    return wanted and (target.method == "vnc" or target.credential.kind is not CredentialKind.NONE)


@dataclass(slots=True)
class Entry:
    """The attempts that one climb may become: one for each address that its name may lead to."""

    logins: Logins
    target: Target
    handles: dict[str, object] = field(default_factory=dict)

    def open(self, addresses: Iterable[str]) -> PutOff | None:
        """Write the attempts down, all or none; the PutOff where one of them is too many."""
        for address in addresses:
            handle = self.logins.begin(address, self.target.port, guessable=guessable(self.target))
            if isinstance(handle, PutOff):
                self.close(None, None)
                return handle
            self.handles[address] = handle
        return None

    def close(self, reached: str | None, login: Step | None) -> None:
        """Settle: only the address that was ``reached`` may have seen a credential."""
        for address, handle in self.handles.items():
            tried = address == reached
            self.logins.settle(handle, ending_of(login, self.target.method) if tried else "withdrawn")
        self.handles.clear()


def ending_of(login: Step | None, method: str) -> Ending:
    """How an attempt ended, by the step ``login``; None where the climb did not come so far."""
    if login is None or login.code in NEVER_SENT:
        return "refused" if method == "vnc" else "withdrawn"
    return "accepted" if login.outcome in (Outcome.OK, Outcome.WARN) else "refused"


def login_put_off(target: Target, put_off: PutOff) -> Step:
    """The step that says so: not judged, so it can turn a light neither green nor red."""
    facts = {
        "host": target.host,
        "port": target.port,
        "username": target.username,
        "reason": str(put_off.why),
        "until": put_off.until.isoformat(timespec="seconds") if put_off.until else None,
    }
    return finding("login", "login_put_off", facts)
