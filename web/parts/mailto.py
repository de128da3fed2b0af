"""Mails that the reader sends from their own program."""

from collections.abc import Iterable
from urllib.parse import quote


def mailto(subject: str, body: str, to: Iterable[str] = ()) -> str:
    """A mailto: address (RFC 6068); without recipients the person picks who gets it."""
    whom = ",".join(quote(address, safe="@") for address in to)
    return f"mailto:{whom}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
