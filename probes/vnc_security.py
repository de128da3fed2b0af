"""VNC: which way in is taken, and how far it protects. The credential is not sent here."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from probes.pace import Pace
from probes.target import CredentialKind, Target
from probes.vnc_line import Line, LineClosed, anonymous_context
from probes.wire import WireError
from probes.wire.rfb import (
    FOREIGN,
    KINDS,
    LONGEST_REASON,
    NONE,
    VENCRYPT,
    Kind,
    Version,
    judge_reason,
    name_kind,
    parse_count,
    parse_subtypes,
    shown_text,
)

if TYPE_CHECKING:
    from probes.tls import Secured

VENCRYPT_VERSION = bytes((0, 2))
# The refusal is known by then; its words are worth a short wait.
REASON_SECONDS = 2.0


class Ended(Exception):
    """The far end, or we, put an end to it: a code of the table and its facts. Only the ladder sees it."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts: dict[str, Any] = facts


@dataclass(slots=True)
class Offer:
    """What the server offers, the way we take, and, for VeNCrypt, what the channel became."""

    version: Version
    numbers: tuple[int, ...]
    taken: int | None = None
    secured: Secured | None = None
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [name_kind(number) for number in self.numbers]

    @property
    def kind(self) -> Kind | None:
        """The way we take; None when we cannot take any."""
        return KINDS[self.taken] if self.taken is not None else None

    @property
    def lets_anybody_in(self) -> bool:
        return any(kind.asks == "nothing" for kind in known_kinds(self.numbers))

    def missing(self, target: Target) -> str | None:
        """The part of the credential that the server's own ways would need, or None if we know none."""
        kinds = known_kinds(self.numbers)
        if not kinds:
            return None
        has_password = target.credential.kind is CredentialKind.PASSWORD
        return "username" if has_password and all(kind.asks == "account" for kind in kinds) else "password"


def known_kinds(numbers: Iterable[int]) -> list[Kind]:
    """The ways among these numbers that we can go ourselves."""
    return [KINDS[number] for number in numbers if number in KINDS]


def choose(numbers: Iterable[int], target: Target, *, anonymous: bool) -> int | None:
    """The best way in that our credential can go; with pins, only one that shows a certificate.

    A way that asks for something comes first, else the credential would stay unproven; then one that
    encrypts; then the one that asks for the most of what we have.
    """
    usable = [number for number in numbers if number in KINDS and _can_go(KINDS[number], target)]
    if not anonymous:
        usable = [number for number in usable if KINDS[number].channel != "anonymous"]
    return max(usable, key=lambda number: _rank(KINDS[number]), default=None)


def _can_go(kind: Kind, target: Target) -> bool:
    if target.pins and kind.channel != "certificate":
        return False
    has_password = target.credential.kind is CredentialKind.PASSWORD
    return {"nothing": True, "password": has_password, "account": has_password and bool(target.username)}[
        kind.asks
    ]


def _rank(kind: Kind) -> tuple[bool, bool, bool, bool]:
    return (
        kind.asks != "nothing",
        kind.channel != "clear",
        kind.asks == "account",
        kind.channel == "certificate",
    )


class TurnedAway(Exception):
    """A refusal whose words are still to come; ``judge`` says what it means once they are known.

    Separate from hearing them, so that a phase that runs out does not make a refusal look like silence.
    """

    def __init__(self, judge: Callable[[str], Ended]) -> None:
        super().__init__()
        self.judge = judge


async def read_reason(line: Line, pace: Pace) -> str:
    """The server's words after a refusal, as far as they come."""
    with suppress(LineClosed, TimeoutError):
        async with pace.within(REASON_SECONDS):
            length = min(parse_count(await line.take(4)), LONGEST_REASON)
            while len(line.held) < length:
                await line.hear()
            del line.held[length:]
    return shown_text(bytes(line.held[:LONGEST_REASON]))


def _refusal(said: str) -> Ended:
    """What a refusal before any login means, by the server's words."""
    code = "vnc_too_many_attempts" if judge_reason(said) == "too_many" else "vnc_refused"
    return Ended(code, said=said)


async def negotiate(line: Line, offer: Offer, target: Target) -> Offer:
    """Agree on one of the offered types (RFC 6143 §7.1.2) and, inside VeNCrypt, on a subtype and its TLS.

    Raises Ended, TurnedAway, LineClosed, WireError.
    """
    version, numbers = offer.version, offer.numbers
    if version.minor == 3:
        # The server has decided; what it takes is the whole offer.
        return Offer(version, numbers, choose(numbers, target, anonymous=False))
    if VENCRYPT in numbers and not (NONE in numbers and choose(numbers, target, anonymous=False) == NONE):
        return await _vencrypt(line, version, numbers, target)
    taken = choose(numbers, target, anonymous=False)
    if taken is not None:
        await line.say(bytes((taken,)))
    return Offer(version, numbers, taken)


async def read_offer(line: Line, version: Version) -> tuple[int, ...]:
    """The security types by number; raises TurnedAway, LineClosed, WireError."""
    if version.minor == 3:
        number = parse_count(await line.take(4))
        numbers: tuple[int, ...] = (number,) if number else ()
    else:
        numbers = tuple(await line.take(parse_count(await line.take(1))))
    if not numbers:
        raise TurnedAway(_refusal)
    return numbers


async def _vencrypt(line: Line, version: Version, outer: tuple[int, ...], target: Target) -> Offer:
    """VeNCrypt 0.2: its version, its subtypes, the chosen one, and TLS where that has it."""
    await line.say(bytes((VENCRYPT,)))
    others = [name_kind(number) for number in outer if number != VENCRYPT]
    if await line.take(2) < VENCRYPT_VERSION:
        raise Ended("vnc_unsupported_security", offered=["VeNCrypt 0.1", *others])
    await line.say(VENCRYPT_VERSION)
    if await line.take(1) != b"\0":
        raise Ended("vnc_unsupported_security", offered=["VeNCrypt", *others])
    inner = parse_subtypes(await line.take(4 * parse_count(await line.take(1))))
    offer = Offer(version, (*inner, *(number for number in outer if number != VENCRYPT)))
    offer.taken = choose(
        inner, target, anonymous=_offers_anonymous(inner) and anonymous_context() is not None
    )
    if offer.taken is not None:
        await line.say(offer.taken.to_bytes(4, "big"))
        if KINDS[offer.taken].channel != "clear":
            await _encrypt(line, offer)
    return offer


def _offers_anonymous(numbers: Iterable[int]) -> bool:
    return any(kind.channel == "anonymous" for kind in known_kinds(numbers))


async def _encrypt(line: Line, offer: Offer) -> None:
    if await line.take(1) != b"\1":
        raise Ended("tls_failed", reason="not_ready")
    # Both are costly to load, and most servers offer neither kind of encryption.
    from probes.tls import Secured, lenient_context, read_certificate

    anonymous = offer.kind is not None and offer.kind.channel == "anonymous"
    try:
        session = await line.encrypt(_context(anonymous) or lenient_context())
    except ssl.SSLError as error:
        raise Ended("tls_failed", reason=(error.reason or "protocol").lower()) from None
    except (LineClosed, OSError):
        raise Ended("tls_failed", reason="closed") from None
    shown, cipher = session.getpeercert(binary_form=True), session.cipher()
    try:
        certificate = read_certificate(shown) if shown else None
    except WireError:
        raise Ended("tls_failed", reason="certificate_unreadable") from None
    offer.secured = Secured(session.version() or "?", cipher[0] if cipher else "?", certificate)


def _context(anonymous: bool) -> ssl.SSLContext | None:
    return anonymous_context() if anonymous else None


def why_not(offer: Offer, target: Target) -> Ended:
    """Why no way was taken: what a person has to do about it."""
    facts: dict[str, Any] = {"offered": offer.names}
    kinds = known_kinds(offer.numbers)
    if target.pins and not any(kind.channel == "certificate" for kind in kinds):
        expected = ", ".join(sorted(target.pins))
        return Ended("cert_changed", expected=expected, reason="no_certificate", **facts)
    missing = offer.missing(target)
    usable = [kind for kind in kinds if _can_go(kind, target)]
    if usable and all(kind.channel == "anonymous" for kind in usable):
        return Ended("vnc_login_not_checkable", reason="no_anonymous_tls", **facts)
    if missing is not None:
        return Ended("vnc_credential_missing", missing=missing, **facts)
    known = any(number in FOREIGN for number in offer.numbers)
    return Ended("vnc_login_not_checkable" if known else "vnc_unsupported_security", **facts)
