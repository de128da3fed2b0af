"""The person of the desk behind a request, and the numbers that addresses and forms carry."""

from scheduler.actor import Actor
from scheduler.rules.refusals import NotAllowed
from web.security import current_person

ID = "int(max=999999999999999)"
"""A row's number in an address; greater ones do not fit into the database's integers and would be an error there."""


def actor() -> Actor:
    """Who acts. Raises NotAllowed where nobody of the desk is signed in."""
    person = current_person()
    if person is None or not person.staff:
        raise NotAllowed("staff")
    return person.actor


def number(text: str | None) -> int | None:
    """The number that an address or a form carries; None for anything else, and for more digits than an id has."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else None
