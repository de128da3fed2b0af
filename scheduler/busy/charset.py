"""Bytes of a foreign calendar as text: UTF-8 as RFC 5545 §3.1.4 wants, or what the server declares."""

import codecs

from scheduler.busy.sieve import Unreadable

DECLARED = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16"})
"""Charsets that calendar programs declare and mean; another one would be a guess."""


def decoded(body: bytes, declared: str) -> str:
    """The text. Raises Unreadable(charset) when the bytes are not in the declared charset, UTF-8 if none is."""
    try:
        name = codecs.lookup(declared or "utf-8").name
    except LookupError:
        raise Unreadable("charset", charset=declared[:40]) from None
    if name not in DECLARED:
        raise Unreadable("charset", charset=name)
    try:
        return body.decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError:
        raise Unreadable("charset", charset=name) from None
