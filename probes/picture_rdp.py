"""A picture by Remote Desktop: xfreerdp on an Xvfb of its own opens a session, and that screen is read.

The one part of a probe that opens a session, so only where somebody has asked for it. It goes to the address and the
certificate that the probe has just seen. The password travels through a pipe, and only where NLA has proven it: a
server without NLA is looked at as far as its own login screen, with no credential at all.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import struct
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from probes.picture import NoPicture, canvas_for
from probes.wire import WireError
from probes.wire.canvas import Canvas
from probes.wire.xwd import Screen, parse_screen

CLIENTS: tuple[str, ...] = ("xfreerdp3", "xfreerdp")
SCREEN = "Xvfb"
WIDTH, HEIGHT = 1280, 800
LOOK_EVERY, STILL_FOR = 0.25, 1.0
"""Seconds: a screen that has not changed for so long has been drawn."""
ENDING = 3.0
AT_ONCE = 3
"""Sessions side by side in one process: each costs the memory of a screen and of a client."""
_TURNS = threading.BoundedSemaphore(AT_ONCE)
QUIET = ("-clipboard", "/audio-mode:2", "/log-level:OFF", "-grab-keyboard", "-grab-mouse")


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the session is opened: an address, the pin ``sha256:<hex>`` it must show, and who logs in by NLA.

    ``password`` None looks at the server's own login screen.
    """

    address: str
    port: int
    pin: str
    username: str
    password: str | None = field(default=None, repr=False)


def programs() -> tuple[str, str]:
    """The client and the screen; raises NoPicture("not_installed") naming what is missing."""
    client = next(filter(None, map(shutil.which, CLIENTS)), None)
    screen = shutil.which(SCREEN)
    if client is None or screen is None:
        missing = [name for name, path in (("xfreerdp", client), (SCREEN, screen)) if path is None]
        raise NoPicture("not_installed", missing=missing)
    return client, screen


async def read_session(visit: Visit, seconds: float) -> Canvas:
    """Open a session, wait until its screen is still, and take it; ends both programs. Raises NoPicture."""
    client, screen = programs()
    if "\n" in (visit.password or "") or "\r" in (visit.password or ""):
        raise NoPicture("password")
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    async with _turn(ends):
        with tempfile.TemporaryDirectory(prefix="ventana-picture-") as folder:
            home = Path(folder)
            async with _screen(screen, home) as display, _session(client, home, display, visit) as session:
                drawn = await _until_still(home, session, ends)
    return await asyncio.to_thread(_canvas, *drawn)


@asynccontextmanager
async def _turn(ends: float) -> AsyncIterator[None]:
    """One of AT_ONCE, over all threads and loops of this process; raises NoPicture("busy") when time is up."""
    loop = asyncio.get_running_loop()
    while not _TURNS.acquire(blocking=False):
        if loop.time() >= ends:
            raise NoPicture("busy")
        await asyncio.sleep(LOOK_EVERY)
    try:
        yield
    finally:
        _TURNS.release()


@asynccontextmanager
async def _screen(program: str, home: Path) -> AsyncIterator[str]:
    """Xvfb on a display that it finds itself, open only to who knows the cookie; raises NoPicture("broken")."""
    _write_cookie(home)
    reader, writer = os.pipe()
    command = [program, "-displayfd", str(writer), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-br", "-noreset"]
    command += ["-nolisten", "tcp", "-fbdir", str(home), "-auth", str(home / "cookie")]
    try:
        async with _program(command, {}, pass_fds=(writer,)):
            os.close(writer)
            writer = -1
            async with asyncio.timeout(10):
                number = (await asyncio.to_thread(os.read, reader, 16)).strip()
            if not number:
                raise NoPicture("broken")
            yield f":{number.decode('ascii')}"
    finally:
        for end in (reader, writer):
            if end >= 0:
                os.close(end)


def _write_cookie(home: Path) -> None:
    """An Xauthority entry for any display: without it every user of this machine could watch the screen."""
    name = b"MIT-MAGIC-COOKIE-1"
    entry = struct.pack(">HHHH", 0xFFFF, 0, 0, len(name)) + name + struct.pack(">H", 16)
    path = home / "cookie"
    path.touch(0o600)
    path.write_bytes(entry + secrets.token_bytes(16))


@asynccontextmanager
async def _session(
    client: str, home: Path, display: str, visit: Visit
) -> AsyncIterator[asyncio.subprocess.Process]:
    own = {"DISPLAY": display, "XAUTHORITY": str(home / "cookie"), "HOME": str(home), "LC_ALL": "C.UTF-8"}
    async with _program([client, *arguments(visit)], own, stdin=asyncio.subprocess.PIPE) as session:
        if session.stdin is not None:
            with suppress(OSError):
                session.stdin.write((visit.password or "").encode() + b"\n")
                await session.stdin.drain()
            session.stdin.close()
        yield session


def arguments(visit: Visit) -> list[str]:
    """What xfreerdp is told; never the password."""
    digest = visit.pin.removeprefix("sha256:")
    pairs = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    host = f"[{visit.address}]" if ":" in visit.address else visit.address
    where = [f"/v:{host}:{visit.port}", f"/cert:fingerprint:sha256:{pairs}", f"/size:{WIDTH}x{HEIGHT}"]
    if visit.password is None:
        return [*where, "/sec:tls", "/u:", "/p:", *QUIET]
    domain, _, name = visit.username.rpartition("\\")
    domain = "" if domain == "." else domain
    return [*where, "/sec:nla", f"/u:{name}", f"/d:{domain}", "/from-stdin:force", *QUIET]


@asynccontextmanager
async def _program(
    command: list[str], environment: dict[str, str], **more: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that ends with us, together with whatever it has started."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": os.environ.get("PATH", os.defpath), **environment},
        start_new_session=True,
        **{"stdin": quiet, "stdout": quiet, "stderr": quiet, **more},  # type: ignore[arg-type]
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                await process.wait()


async def _until_still(home: Path, session: asyncio.subprocess.Process, ends: float) -> tuple[bytes, Screen]:
    """The screen once something is drawn and stands still, or as it is when time is up; raises NoPicture."""
    loop, empty = asyncio.get_running_loop(), await _seen(home)
    last, changed_at = empty, loop.time()
    while loop.time() < ends:
        await asyncio.sleep(LOOK_EVERY)
        if session.returncode is not None:
            raise NoPicture("not_connected")
        now = await _seen(home)
        if now != last:
            last, changed_at = now, loop.time()
        elif now != empty and loop.time() - changed_at >= STILL_FOR:
            break
    if last is None:
        raise NoPicture("broken")
    return last


async def _seen(home: Path) -> tuple[bytes, Screen] | None:
    return await asyncio.to_thread(_read_screen, home / "Xvfb_screen0")


def _read_screen(path: Path) -> tuple[bytes, Screen] | None:
    """The file and where its pixels are; None while Xvfb has not written it whole."""
    try:
        held = path.read_bytes()
        screen = parse_screen(held)
    except (OSError, WireError):
        return None
    return (held, screen) if len(held) >= screen.size else None


def _canvas(held: bytes, screen: Screen) -> Canvas:
    canvas = canvas_for(screen.width, screen.height)
    for y in range(screen.height):
        start = screen.start + y * screen.line_size
        canvas.put(0, y, held[start : start + screen.width * 4])
    return canvas
