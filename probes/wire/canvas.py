"""A screen made smaller while its lines arrive, and written as a PNG (ISO/IEC 15948). Pure; zlib is all it needs.

Of every block of pixels four are kept and averaged, so memory is bounded by the picture and never by the screen.
The averaging works on whole planes as big integers: no pixel passes through a Python loop.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

WIDEST, TALLEST, LARGEST_FILE = 640, 1200, 300_000
PIXEL = 4
"""Bytes of a pixel as it is put: blue, green, red and one that means nothing."""
DARKEST = 16
ALIKE = 0.999
"""A screen of one colour may still show a pointer."""
COARSER = (0xFF, 0xF8, 0xF0)
"""Which bits of a colour are kept; a photograph with all of them does not fit into the file."""

Look = Literal["", "black", "uniform"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of at most WIDEST by TALLEST pixels and LARGEST_FILE bytes; ``look`` says if there is nothing to see."""

    png: bytes = field(repr=False)
    width: int
    height: int
    look: Look


class Canvas:
    """Takes the lines of a ``width`` by ``height`` screen in any order; neither may be zero.

    One pixel stands for ``every`` by ``every`` of them; by itself, for as many as the picture's size asks.
    """

    def __init__(self, width: int, height: int, every: int = 0) -> None:
        self._every = every or max(1, -(-width // WIDEST), -(-height // TALLEST))
        self.width, self.height = max(1, width // self._every), max(1, height // self._every)
        self._kept = (0,) if self._every == 1 else (0, self._every // 2)
        size = self.width * self.height * PIXEL
        self._planes = {(x, y): bytearray(size) for x in self._kept for y in self._kept}

    def put(self, x: int, y: int, pixels: bytes) -> None:
        """Part of a line, from ``x`` on; what lies beyond the screen is left out."""
        line, phase = divmod(y, self._every)
        if phase not in self._kept or line >= self.height:
            return
        given = memoryview(pixels).cast("I")
        for kept in self._kept:
            first = (kept - x) % self._every
            column = (x + first) // self._every
            chosen = given[first :: self._every][: max(0, self.width - column)].tobytes()
            start = (line * self.width + column) * PIXEL
            self._planes[kept, phase][start : start + len(chosen)] = chosen

    def averaged(self) -> bytes:
        """The pixels that stand for all."""
        return _average([bytes(plane) for plane in self._planes.values()])

    def picture(self) -> Picture:
        """What was put, as a picture; computes for a while, so not in an event loop."""
        pixels = _masked(self.averaged(), bytes((255, 255, 255, 0)))
        look = _look(pixels)
        width, height = self.width, self.height
        while True:
            for bits in COARSER:
                png = _png(_masked(pixels, bytes((bits, bits, bits, 0))), width, height)
                if len(png) <= LARGEST_FILE:
                    return Picture(png, width, height, look)
            pixels, width, height = _halved(pixels, width, height)


def _average(planes: list[bytes]) -> bytes:
    """Byte by byte, pair by pair, without a carry from one byte into the next."""
    while len(planes) > 1:
        pairs = zip(planes[::2], planes[1::2], strict=True)
        planes = [_mean(one, other) for one, other in pairs]
    return planes[0]


def _mean(one: bytes, other: bytes) -> bytes:
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    halves = int.from_bytes(b"\xfe" * len(one), "little")
    return ((a & b) + (((a ^ b) & halves) >> 1)).to_bytes(len(one), "little")


def _masked(pixels: bytes, mask: bytes) -> bytes:
    wanted = int.from_bytes(mask * (len(pixels) // PIXEL), "little")
    return (int.from_bytes(pixels, "little") & wanted).to_bytes(len(pixels), "little")


def _look(pixels: bytes) -> Look:
    colours = Counter(memoryview(pixels).cast("I"))
    colour, times = colours.most_common(1)[0]
    if times < ALIKE * colours.total():
        return ""
    return "black" if max(colour.to_bytes(PIXEL, "little")) <= DARKEST else "uniform"


def _halved(pixels: bytes, width: int, height: int) -> tuple[bytes, int, int]:
    smaller = Canvas(width, height, every=2)
    for y in range(height):
        smaller.put(0, y, pixels[y * width * PIXEL : (y + 1) * width * PIXEL])
    return smaller.averaged(), smaller.width, smaller.height


def _png(pixels: bytes, width: int, height: int) -> bytes:
    rgb = bytearray(width * height * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::PIXEL], pixels[1::PIXEL], pixels[0::PIXEL]
    lines = b"".join(b"\0" + rgb[at : at + width * 3] for at in range(0, len(rgb), width * 3))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
