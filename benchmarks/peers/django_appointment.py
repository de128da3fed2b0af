"""django-appointment as its package comes, on SQLite with WAL and synchronous=FULL as ours, over HTTP."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.peers.contest import CLIENTS
from benchmarks.peers.site import Site, prepare, serving
from fixtures.environments import python_of

HERE = Path(__file__).parent
HOURS = range(9, 17)


class DjangoAppointment:
    """The site with its clients' sessions."""

    def __init__(self, site: Site, sessions: list[str]) -> None:
        self._site = site
        self._sessions = sessions
        self.cpu_seconds = site.cpu_seconds

    def book(self, client: int, slot: int) -> bool:
        """Its two forms, one after the other; booked when the second leads to its page of thanks."""
        day, hour = divmod(slot, len(HOURS))
        start = HOURS[hour]
        wish = {"date": _day(day), "start_time": f"{start:02}:00", "end_time": f"{start + 1:02}:00"}
        wish |= {"service": "1", "staff_member": "1"}
        status, where, _ = self._ask(client, "POST", "/request-submit/", urlencode(wish))
        if status != 302:
            return False
        person = {
            "name": "Ana",
            "phone_0": "ES",
            "phone_1": "612345678",
            "address": "x",
            "payment_type": "full",
        }
        form = urlencode(person | {"email": f"c{client}@x.example"})
        status, where, _ = self._ask(client, "POST", urlsplit(where).path, form)
        return status == 302 and "thank-you" in where

    def slots(self, slot: int) -> None:
        """That day of the technician."""
        query = urlencode({"selected_date": _day(slot // len(HOURS)), "staff_member": 1, "service_id": 1})
        status, _, body = self._ask(0, "GET", f"/ajax/available_slots/?{query}")
        assert (status, b"available_slots" in body) == (200, True), body

    def _ask(self, client: int, method: str, path: str, form: str = "") -> tuple[int, str, bytes]:
        headers = {"Cookie": f"sessionid={self._sessions[client]}", "X-Requested-With": "XMLHttpRequest"}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._site.ask(method, path, form.encode() or None, headers)


@contextmanager
def django_appointment() -> Iterator[DjangoAppointment]:
    """Made, filled, answering; gone at the end. Raises Unavailable."""
    command = [str(python_of(HERE / "django.lock", "peer-django")), str(HERE / "sites" / "django_site.py")]
    with tempfile.TemporaryDirectory(prefix="ventana-peer-") as folder:
        sessions = prepare("django-appointment", [*command, "prepare", folder])[-CLIENTS:]
        with serving("django-appointment", [*command, "serve", folder], Path(folder) / "log") as site:
            yield DjangoAppointment(site, sessions)


def _day(number: int) -> str:
    """Days from a week ahead on."""
    return (date.today() + timedelta(days=7 + number)).isoformat()  # noqa: DTZ011 - any day will do
