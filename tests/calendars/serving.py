"""A desk with an event of every kind, behind a real port."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.serving import WSGIRequestHandler, make_server

from fixtures.databases import Database
from scheduler.calendars.secrets import (
    FeedSettings,
    create_customer_feed,
    create_feed,
    feed_secret,
    feed_url,
)
from scheduler.rules.secret import Secret
from scheduler.store.engines import write
from scheduler.store.models import Technician
from tests.calendars import every_kind
from tests.unit.calendars.desk import ANA, BASE, NOW
from tests.web.dav_client import DavDesk, make_desk
from web.app import create_app

KEY = Secret("f0" * 32)


class Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@dataclass
class Served:
    """The desk, where it answers, and the app password of Ana's."""

    desk: DavDesk
    url: str
    user: str
    password: str

    @property
    def credentials(self) -> tuple[str, str, str]:
        """What a CalDAV client is told."""
        return f"{self.url}/dav/", self.user, self.password

    def feed(self, scope: str = "interventions", settings: FeedSettings = FeedSettings()) -> str:  # noqa: B008
        """The address of a new feed of Ana's, or of her customer's with the scope "customer"."""
        with write(self.desk.sessions) as session:
            if scope == "customer":
                row = create_customer_feed(session, KEY, 1, NOW, settings)
            else:
                row = create_feed(session, KEY, ANA, scope, NOW, settings)
            return self.url + feed_url(BASE, feed_secret(KEY, row), scope).removeprefix(BASE)


def serve(database: Database) -> Iterator[Served]:
    """The desk while it answers; what a fixture yields."""
    desk = make_desk(database)
    every_kind.fill(desk)
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).role = "dispatcher"
    server = make_server("127.0.0.1", 0, create_app(desk), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(desk, f"http://127.0.0.1:{server.server_port}", *desk.password())
    server.shutdown()
    thread.join()
    server.server_close()
