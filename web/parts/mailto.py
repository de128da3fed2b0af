"""Mails that the reader sends from their own program."""

from urllib.parse import quote


def mailto(subject: str, body: str) -> str:
    """A mailto: address without recipient (RFC 6068): the person picks who gets it."""
    return f"mailto:?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
