"""One picture of a VNC server's screen, over the line that has just logged in. Nothing is typed, nothing moved."""

from __future__ import annotations

import asyncio

from probes.picture import NoPicture, canvas_for
from probes.vnc_line import Line, LineClosed
from probes.wire import WireError
from probes.wire.canvas import Canvas
from probes.wire.rfb import ServerInit
from probes.wire.rfb_update import (
    BYTES_PER_PIXEL,
    RECTANGLE_SIZE,
    REST_OF_HEADER,
    UPDATE,
    Rectangle,
    one_picture,
    parse_length,
    parse_rectangle,
)

SMALL_TALK = 1_000_000
"""Bytes beside the pixels: the clipboard, colours, bells, headers."""
LEAST = 256
"""What a message or rectangle counts at least: a million bells are no picture either."""
BREATH = 65_536
"""After so many bytes others get their turn: a socket that always has more never waits by itself."""
SKIPPED_AT_ONCE = 4096


async def read_screen(line: Line, screen: ServerInit) -> Canvas:
    """Ask for the screen and take it until every pixel has come.

    Raises NoPicture, and TimeoutError of the caller's limit.
    """
    canvas = canvas_for(screen.width, screen.height)
    await line.say(one_picture(screen.width, screen.height))
    try:
        await _Reading(line, screen, canvas).until_whole()
    except LineClosed:
        raise NoPicture("closed") from None
    except WireError as broken:
        raise NoPicture("protocol", problem=str(broken)) from None
    return canvas


class _Reading:
    """What has come of one screen; more bytes than a screen can have end it."""

    def __init__(self, line: Line, screen: ServerInit, canvas: Canvas) -> None:
        self._line = line
        self._screen = screen
        self._canvas = canvas
        self._missing = screen.width * screen.height
        self._left = self._missing * BYTES_PER_PIXEL + SMALL_TALK
        self._since_breath = 0

    async def until_whole(self) -> None:
        while self._missing > 0:
            self._count(LEAST)
            kind = (await self._take(1))[0]
            if kind not in REST_OF_HEADER:
                raise WireError("a message that nobody sends")
            rest = await self._take(REST_OF_HEADER[kind])
            if kind == UPDATE:
                await self._update(int.from_bytes(rest[1:], "big"))
            else:
                await self._skip(parse_length(kind, rest))

    async def _update(self, rectangles: int) -> None:
        for _ in range(rectangles):
            self._count(LEAST)
            header = await self._take(RECTANGLE_SIZE)
            await self._pixels(parse_rectangle(header, self._screen.width, self._screen.height))

    async def _pixels(self, part: Rectangle) -> None:
        if not part.width:
            return
        for line in range(part.height):
            pixels = await self._take(part.width * BYTES_PER_PIXEL)
            self._canvas.put(part.x, part.y + line, pixels)
        self._missing -= part.width * part.height

    async def _skip(self, size: int) -> None:
        if size > self._left:
            raise NoPicture("too_much")
        while size > 0:
            size -= len(await self._take(min(size, SKIPPED_AT_ONCE)))

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise NoPicture("too_much")

    async def _take(self, size: int) -> bytes:
        self._count(size)
        self._since_breath += size
        if self._since_breath >= BREATH:
            self._since_breath = 0
            await asyncio.sleep(0)
        return await self._line.take(size)
