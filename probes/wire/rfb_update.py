"""RFB after the login: asking for one picture, and the headers of what comes (RFC 6143 §7.5, §7.6). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from probes.wire import WireError

UPDATE, COLOURS, BELL, CUT_TEXT = 0, 1, 2, 3
RECTANGLE_SIZE = 12
RAW = 0
BYTES_PER_PIXEL = 4
# 32 bits, 24 of them colour, little-endian, in the order blue, green, red, nothing.
_PIXEL_FORMAT = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


def one_picture(width: int, height: int) -> bytes:
    """SetPixelFormat, SetEncodings with RAW alone, and a request for the whole screen: nothing that touches it."""
    asked = b"\0\0\0\0" + _PIXEL_FORMAT + struct.pack(">BxHi", 2, 1, RAW)
    return asked + struct.pack(">BBHHHH", 3, 0, 0, 0, width, height)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the screen whose pixels follow, line by line."""

    x: int
    y: int
    width: int
    height: int


def parse_rectangle(field: bytes, width: int, height: int) -> Rectangle:
    """The header of a rectangle; raises WireError unless it is RAW and lies on the screen."""
    if len(field) != RECTANGLE_SIZE:
        raise WireError("a rectangle has 12 bytes")
    x, y, wide, high, encoding = struct.unpack(">HHHHi", field)
    if encoding != RAW:
        raise WireError("an encoding that was not asked for")
    if x + wide > width or y + high > height:
        raise WireError("a rectangle beyond the screen")
    return Rectangle(x, y, wide, high)


def parse_length(kind: int, field: bytes) -> int:
    """How many bytes follow the rest of a message's header; raises WireError for a kind that nobody sends."""
    if kind == BELL:
        return 0
    if kind == COLOURS and len(field) == COLOURS_HEADER:
        return 6 * int.from_bytes(field[3:], "big")
    if kind == CUT_TEXT and len(field) == CUT_TEXT_HEADER:
        return int.from_bytes(field[3:], "big")
    raise WireError("a message that nobody sends")


COLOURS_HEADER, CUT_TEXT_HEADER = 5, 7
REST_OF_HEADER = {UPDATE: 3, COLOURS: COLOURS_HEADER, BELL: 0, CUT_TEXT: CUT_TEXT_HEADER}
"""Bytes of a message's header after its kind."""
