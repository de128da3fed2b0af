"""Ours, over its HTTP API, with everything that a booking writes."""

import threading
from typing import Any

from fixtures.served import Browser, Installed, Process


class Ours:
    """Twenty customers of one technician."""

    def __init__(self, desk: Installed, server: Process) -> None:
        self._desk = desk
        self._server = server
        self._own = threading.local()
        first = self._browser(0)
        asked = first.get("/api/v1/slots?technician=1&kind=maintenance&days=31&minutes=60").body["slots"]
        starts: list[str] = [slot["start_at"] for slot in asked]
        self._starts = starts[::2]
        """The grid is of half hours, a session lasts one."""

    def book(self, client: int, slot: int) -> bool:
        """201 or not."""
        who = self._desk.clients[client]
        wish: dict[str, Any] = {
            "access_point": who.access_point,
            "entitlement": who.entitlement,
            "minutes": 60,
        }
        wish |= {"technician": 1, "start_at": self._starts[slot]}
        return self._browser(client).post("/api/v1/bookings", wish).status == 201

    def slots(self, slot: int) -> None:
        """That day of the technician."""
        day = self._starts[slot][:10]
        answer = self._browser(0).get(f"/api/v1/slots?technician=1&kind=maintenance&days=1&from={day}")
        assert (answer.status, bool(answer.body["slots"])) == (200, True), answer.body

    def cpu_seconds(self) -> float:
        """Of the server's processes."""
        return self._server.cpu_seconds()

    def _browser(self, client: int) -> Browser:
        """A connection of this thread for the client."""
        kept: dict[int, Browser] = self._own.__dict__.setdefault("browsers", {})
        if client not in kept:
            kept[client] = self._desk.browser(self._desk.clients[client].token)
        return kept[client]
