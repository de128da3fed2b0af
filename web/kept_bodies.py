"""Calendars that were built and compressed once, kept in memory while nobody changes them."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeptBody:
    """A compressed body with what it was sent with."""

    etag: str
    last_modified: datetime | None
    packed: bytes = field(repr=False)


class KeptBodies:
    """The last body of each address, at most so many bytes in all; the address least asked for goes first.

    Safe from several threads. Addresses are known by the hash of their secret.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._bodies: OrderedDict[str, KeptBody] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def last(self, address: str) -> KeptBody | None:
        """What the address was last answered with."""
        with self._lock:
            found = self._bodies.get(address)
            if found is not None:
                self._bodies.move_to_end(address)
            return found

    def packed(self, address: str, etag: str) -> bytes | None:
        """The compressed body, if the address's last one has this tag."""
        found = self.last(address)
        return found.packed if found is not None and found.etag == etag else None

    def keep(self, address: str, body: KeptBody) -> None:
        """Keep it instead of the address's last one."""
        with self._lock:
            self._drop(address)
            self._bodies[address] = body
            self._size += len(body.packed)
            while self._size > self._room:
                self._drop(next(iter(self._bodies)))

    def forget(self, address: str) -> None:
        """Keep nothing of an address that has ended."""
        with self._lock:
            self._drop(address)

    def _drop(self, address: str) -> None:
        found = self._bodies.pop(address, None)
        self._size -= len(found.packed) if found is not None else 0
