"""VNC: version, security types, login, framebuffer. One TCP connection per check, one login.

Never used without a login: TigerVNC and RealVNC lock an address out after five connections that did not log
in, plain TCP connects among them, and a good login clears the count. So the ladder has no rung between the
name and the login, and every check goes all the way or does not connect.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from probes.dial import Dialled
from probes.engine import utc_now
from probes.ladders import steps_for
from probes.pace import Pace
from probes.picture import NoPicture, not_taken, taken
from probes.picture_vnc import read_screen
from probes.report import Facts, Step, finding, good
from probes.target import Depth, Target
from probes.vnc_line import Line, LineClosed
from probes.vnc_login import log_in
from probes.vnc_security import Ended, Offer, TurnedAway, negotiate, read_offer, read_reason, why_not
from probes.wire import WireError
from probes.wire.greetings import name_service
from probes.wire.rfb import (
    SERVER_INIT_SIZE,
    VERSION_SIZE,
    ServerInit,
    Version,
    can_be_version,
    parse_server_init,
    parse_version,
    shown_text,
)

# A service that waits for its client to speak shows itself by its answer to this.
NUDGE = b"RFB 003.008\r\n\r\n"
NUDGE_SECONDS = 2.0
LONGEST_GREETING = 256
# ClientInit: share the desktop, else the server would throw out whoever is working on it.
SHARED = b"\1"

Rung = Callable[[], Awaitable[Step]]


async def climb(dialled: Dialled, target: Target, depth: Depth, pace: Pace) -> AsyncGenerator[Step, None]:
    """The steps after ``port``; ends after a failed one, or one that we cannot go beyond."""
    visit = _Visit(dialled, target, pace)
    limits = pace.limits
    rungs: dict[str, tuple[Rung, float]] = {
        "rfb": (visit.meet, limits.banner),
        "security": (visit.agree, limits.kex),
        "login": (visit.log_in, limits.auth),
        "framebuffer": (visit.see_screen, limits.command),
    }
    for name in steps_for("vnc", depth)[2:]:
        if name == "picture":
            yield await visit.take_picture()
            return
        rung, seconds = rungs[name]
        step = await visit.try_rung(name, rung, seconds)
        yield step
        if visit.over:
            return


class _Visit:
    """One conversation with a VNC server; ``over`` once it cannot go on."""

    def __init__(self, dialled: Dialled, target: Target, pace: Pace) -> None:
        self._dialled = dialled
        self._target = target
        self._pace = pace
        self._line = Line(dialled.sock)
        self._offer = Offer(Version(3, 8), ())
        self._screen: ServerInit | None = None
        self.over = False

    async def try_rung(self, name: str, rung: Rung, seconds: float) -> Step:
        """The step, or the one that says how it ended."""
        facts: Facts = {}
        try:
            async with self._pace.within(seconds):
                return await rung()
        except TurnedAway as away:
            ended = away.judge(await read_reason(self._line, self._pace))
            code, facts = ended.code, ended.facts
        except Ended as ended:
            code, facts = ended.code, ended.facts
        except TimeoutError:
            code, facts = await self._silence(name)
        except LineClosed as closed:
            code = _hung_up(name, closed, bytes(self._line.held))
        except WireError as broken:
            code, facts = "not_rfb" if name == "rfb" else "vnc_protocol_error", {"problem": str(broken)}
        self.over = True
        offered = {"offered": self._offer.names} if name == "security" and self._offer.names else {}
        return finding(name, code, {**self._where(), **offered, **facts}, self._pace.lap())

    async def meet(self) -> Step:
        """The version line, and ours in answer (RFC 6143 §7.1.1)."""
        while len(self._line.held) < VERSION_SIZE:
            await self._line.hear()
            if not can_be_version(bytes(self._line.held[:VERSION_SIZE])):
                raise await self._stranger()
        theirs = parse_version(await self._line.take(VERSION_SIZE))
        self._offer = Offer(theirs.spoken, ())
        await self._line.say(theirs.spoken.line)
        return good("rfb", {"version": str(theirs), "spoken": str(theirs.spoken)}, self._pace.lap())

    async def _stranger(self) -> Ended:
        """Somebody else speaks: hear a little more, to call him by his name."""
        with suppress(LineClosed, TimeoutError):
            async with self._pace.within(NUDGE_SECONDS / 4):
                while b"\n" not in self._line.held and len(self._line.held) < LONGEST_GREETING:
                    await self._line.hear()
        return Ended("not_rfb", service=name_service(bytes(self._line.held)))

    async def _silence(self, name: str) -> tuple[str, Facts]:
        if name != "rfb":
            return self._pace.late_code("vnc_timeout"), {}
        held = not self._line.held and await self._nudged()
        if held:
            return "not_rfb", {"service": held}
        return self._pace.late_code("banner_timeout"), {"reason": "vnc"}

    async def _nudged(self) -> str | None:
        with suppress(LineClosed, TimeoutError):
            async with self._pace.within(min(NUDGE_SECONDS, self._pace.limits.banner)):
                await self._line.say(NUDGE)
                await self._line.hear()
        return name_service(bytes(self._line.held))

    async def agree(self) -> Step:
        """The security type, its TLS, and what is wrong with them."""
        version = self._offer.version
        offer = self._offer = Offer(version, await read_offer(self._line, version))
        offer = self._offer = await negotiate(self._line, offer, self._target)
        if offer.kind is None:
            # Whether a credential is missing or cannot be tried is said where it would be used.
            refused = why_not(offer, self._target)
            if refused.code in ("cert_changed", "vnc_unsupported_security"):
                raise refused
        facts: dict[str, Any] = {**self._where(), "offered": offer.names}
        if offer.kind is not None:
            facts |= {"chosen": offer.kind.name, "encrypted": offer.kind.channel != "clear"}
        code = "vnc_no_password" if offer.lets_anybody_in else None
        if offer.secured is not None:
            now = utc_now()
            facts |= offer.secured.facts(self._target.pins, now)
            certificate = offer.secured.certificate
            judged = certificate.code(self._target.pins, now) if certificate is not None else None
            self.over = judged == "cert_changed"
            code = judged if self.over else code or judged
        ms = self._pace.lap()
        return finding("security", code, facts, ms) if code else good("security", facts, ms)

    async def log_in(self) -> Step:
        """The credential, on the way that was taken; in clear it works, but anybody on the line can read on."""
        kind = self._offer.kind
        if kind is None:
            raise why_not(self._offer, self._target)
        way = await log_in(self._line, self._offer, kind, self._target)
        facts = {**self._where(), "username": self._target.username, "tried": way, "security": kind.name}
        ms = self._pace.lap()
        return (
            finding("login", "vnc_unencrypted", facts, ms)
            if kind.channel == "clear"
            else good("login", facts, ms)
        )

    async def see_screen(self) -> Step:
        """ServerInit: the size of the screen and its name (RFC 6143 §7.3)."""
        await self._line.say(SHARED)
        screen = self._screen = parse_server_init(await self._line.take(SERVER_INIT_SIZE))
        name = await self._line.take(screen.name_length)
        facts = {"width": screen.width, "height": screen.height, "desktop": shown_text(name)}
        return good("framebuffer", facts, self._pace.lap())

    async def take_picture(self) -> Step:
        """What is on the screen now; why there is none is no fault of the access."""
        if self._screen is None:
            raise ValueError("a picture needs the size of the screen")
        facts, limits = self._where(), self._pace.limits
        try:
            async with self._pace.within(limits.picture):
                canvas = await read_screen(self._line, self._screen)
        except TimeoutError:
            return not_taken(NoPicture("timeout"), facts, self._pace.lap())
        except NoPicture as no:
            return not_taken(no, facts, self._pace.lap())
        return await taken(canvas, facts, self._pace.lap())

    def _where(self) -> dict[str, Any]:
        return {
            "host": self._target.host,
            "port": self._dialled.port,
            "address": str(self._dialled.address),
            "source_address": self._target.source_address,
        }


def _hung_up(name: str, closed: LineClosed, held: bytes) -> str:
    if name != "rfb":
        return "vnc_disconnected"
    if closed.__cause__ is not None:
        return "tcp_reset"
    return "closed_before_banner" if not held or can_be_version(held) else "not_rfb"
