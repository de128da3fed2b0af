"""Text on its way into a calendar: cleaned, and escaped as RFC 5545 §3.3.11 says."""

import re

from icalendar.prop import vText

LINE_BREAK = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
LONGEST_LINE = 75
"""Octets of a content line without its CRLF (RFC 5545 §3.1)."""
UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Controls, which RFC 5545 forbids, and the marks that turn the reading direction of the text around them."""


class CalendarText(vText):
    r"""A TEXT value that keeps its backslashes: icalendar takes "\N" (as in "C:\Nueva") for a line break."""

    __slots__ = ()

    def to_ical(self) -> bytes:
        r"""The value with \ ; , and line breaks escaped."""
        text = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
        return text.replace("\n", "\\n").encode()


def one_line(text: str) -> CalendarText:
    """Cleaned text without line breaks."""
    return CalendarText(" ".join(clean(text).split()))


def many_lines(text: str) -> CalendarText:
    """Cleaned text whose line breaks are plain line feeds."""
    return CalendarText(clean(text))


def clean(text: str) -> str:
    """Without controls and direction marks; each kind of line break becomes a line feed.

    U+0085, U+2028 and U+2029 count as breaks because clients that split lines the Python way break at them.
    """
    text = text.encode("utf-8", "replace").decode()
    return UNWANTED.sub("", LINE_BREAK.sub("\n", text)).strip()


def shortened(text: str, length: int) -> str:
    """At most `length` characters, the last one an ellipsis when something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def unfolded(content: bytes) -> bytes:
    """Content lines as they were before folding (RFC 5545 §3.1)."""
    return content.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")


def folded(line: bytes) -> bytes:
    """One content line with its CRLF, in pieces of at most 75 octets that tear no character and no escape.

    Clients exist that unfold after they have read the escapes. The first piece is kept one octet short as
    icalendar does it, so that the two can be held against each other.
    """
    pieces = []
    while len(line) >= LONGEST_LINE:
        cut = LONGEST_LINE - 1
        while line[cut] & 0xC0 == 0x80:  # inside a character of UTF-8
            cut -= 1
        if line[cut - 1] in b"\\^":
            cut -= 1
        pieces.append(line[:cut])
        line = line[cut:]
    return b"\r\n ".join([*pieces, line]) + b"\r\n"
