"""The file into which Xvfb maps its screen (-fbdir): an XWD dump of version 7. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from probes.wire import WireError

HEADER_SIZE = 100
COLOUR_SIZE = 12
_VERSION, _Z_PIXMAP, _LSB_FIRST = 7, 2, 0


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the pixels of a screen begin, and how many bytes a line of it has; 4 bytes a pixel: B, G, R, nothing."""

    width: int
    height: int
    start: int
    line_size: int

    @property
    def size(self) -> int:
        """Bytes of the file up to the last pixel."""
        return self.start + self.height * self.line_size


def parse_screen(field: bytes) -> Screen:
    """The header; raises WireError for another kind of dump, or while it is not written whole."""
    if len(field) < HEADER_SIZE:
        raise WireError("half a header")
    numbers = struct.unpack_from(">20I", field)
    header, version, form, _, width, height, _, order = numbers[:8]
    bits, line_size, colours = numbers[11], numbers[12], numbers[19]
    if (version, form, order, bits) != (_VERSION, _Z_PIXMAP, _LSB_FIRST, 32):
        raise WireError("another kind of dump")
    if not width or not height or line_size < width * 4 or header < HEADER_SIZE:
        raise WireError("an impossible screen")
    return Screen(width, height, header + colours * COLOUR_SIZE, line_size)
