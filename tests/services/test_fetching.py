"""Fetching from an address that somebody gave us, against real servers that misbehave."""

import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import calendar_server
from fixtures.calendar_server import MEGABYTE, CalendarServer, serving
from fixtures.web_servers import Authority
from probes.addresses import AddressAllowance
from scheduler.fetching import Failed, Fetched, Fetcher, Limits


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with serving() as running:
        yield running


def fetcher(*servers: CalendarServer, **limits: float) -> Fetcher:
    """Allowed to reach these servers on loopback and nothing else there."""
    allow = AddressAllowance.parse((), [("127.0.0.1", server.port) for server in servers])
    return Fetcher(allow, Limits(**limits))  # type: ignore[arg-type]


def test_a_calendar_is_fetched_with_what_the_next_question_needs(server: CalendarServer) -> None:
    url = server.publish("/a.ics", b"body", ETag='"1"', Last_Modified="Tue, 24 Nov 2026 09:00:00 GMT")
    first = fetcher(server).get(f"{url}?token=x", {})
    assert first == Fetched(200, b"body", "utf-8", '"1"', "Tue, 24 Nov 2026 09:00:00 GMT")
    second = fetcher(server).get(url, {"If-None-Match": '"1"'})
    assert isinstance(second, Fetched)
    assert (second.status, second.body) == (304, b"")
    path, headers = server.asked[0]
    assert path == "/a.ics?token=x"
    assert headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "login"), (403, "login"), (404, "gone"), (410, "gone"), (429, "status"), (500, "status")],
)
def test_an_answer_that_is_no_calendar_has_a_code(server: CalendarServer, status: int, code: str) -> None:
    assert fetcher(server).get(server.answer("/a", status), {}) == Failed(code, {"status": status})


def test_redirects_are_followed_five_times_and_no_more(server: CalendarServer) -> None:
    server.publish("/0", b"here")
    for step in range(1, 7):
        server.answer(f"/{step}", 302, Location=f"/{step - 1}")
    five = fetcher(server).get(server.url("/5"), {})
    assert isinstance(five, Fetched)
    assert five.body == b"here"
    assert fetcher(server).get(server.url("/6"), {}) == Failed("too_many_redirects", {"most": 5})


def test_a_redirect_inward_is_refused_before_anything_is_sent_there(server: CalendarServer) -> None:
    with serving() as inside:
        inside.publish("/admin", b"secret")
        url = server.answer("/a", 302, Location=inside.url("/admin"))
        assert fetcher(server).get(url, {}) == Failed("address_refused", {"reason": "loopback"})
        assert inside.asked == []
        allowed = fetcher(server, inside).get(url, {})  # the control: only the guard stood between
        assert isinstance(allowed, Fetched)
        assert allowed.body == b"secret"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://u:p@127.0.0.1/", "http://[::1", "gopher://x/"]
)
def test_a_redirect_to_what_nobody_may_fetch_is_refused(server: CalendarServer, target: str) -> None:
    answer = fetcher(server).get(server.answer("/a", 302, Location=target), {})
    assert isinstance(answer, Failed)
    assert answer.code == "bad_redirect"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://10.0.0.1/", "http://localhost/a", "http://127.1/"]
)
def test_our_own_network_is_never_asked(url: str) -> None:
    answer = Fetcher(AddressAllowance()).get(url, {})
    assert isinstance(answer, Failed)
    assert answer.code == "address_refused"


def test_six_megabytes_are_too_many(server: CalendarServer) -> None:
    url = server.publish("/a", b"x" * (6 * MEGABYTE))
    assert fetcher(server).get(url, {}) == Failed("too_large", {"most": 5 * MEGABYTE})


def test_a_flood_without_end_ends(server: CalendarServer) -> None:
    assert fetcher(server).get(server.behave("/a", calendar_server.flood), {}) == Failed(
        "too_large", {"most": 5 * MEGABYTE}
    )


def test_what_unpacks_to_too_much_is_cut_off(server: CalendarServer) -> None:
    url = server.publish("/a", gzip.compress(b"x" * (20 * MEGABYTE)), Content_Encoding="gzip")
    assert fetcher(server).get(url, {}) == Failed("too_large", {"most": 5 * MEGABYTE})
    small = server.publish("/b", gzip.compress(b"small"), Content_Encoding="gzip")
    unpacked = fetcher(server).get(small, {})
    assert isinstance(unpacked, Fetched)
    assert unpacked.body == b"small"


def test_a_server_that_hangs_costs_its_seconds_and_no_more(server: CalendarServer) -> None:
    began = time.monotonic()
    assert fetcher(server, seconds=0.5).get(server.behave("/a", calendar_server.hang), {}).code == "timeout"  # type: ignore[union-attr]
    assert time.monotonic() - began < 5


def test_a_server_that_drips_does_not_renew_its_time(server: CalendarServer) -> None:
    def drip(handler: calendar_server._Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.closing.wait(0.05):
            handler.wfile.write(b"x")

    assert fetcher(server, seconds=0.7).get(server.behave("/a", drip), {}) == Failed(
        "timeout", {"seconds": 0.7}
    )


def test_what_is_not_http_and_who_is_not_there_have_codes(server: CalendarServer) -> None:
    assert fetcher(server).get(server.behave("/a", calendar_server.talk_nonsense), {}) == Failed(
        "broken_http"
    )
    with serving() as gone:
        url, reach = gone.url("/a"), fetcher(gone)
    assert reach.get(url, {}) == Failed("unreachable")

    async def nobody(name: str, port: int) -> list[str]:
        return []

    assert Fetcher(AddressAllowance(), resolver=nobody).get("http://no.example/", {}) == Failed("dns")


@pytest.fixture
def encrypted(
    server: CalendarServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CalendarServer]:
    """A second server, by https, whose authority is trusted."""
    authority = Authority(tmp_path / "ca")
    issued = authority.issue("calendar", names=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    running = CalendarServer()
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join(5)


def test_https_is_checked_and_never_left(
    server: CalendarServer, encrypted: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = encrypted.publish("/a", b"body").replace("http:", "https:")
    read = fetcher(encrypted).get(secure, {})
    assert isinstance(read, Fetched)
    assert read.body == b"body"
    plain = server.publish("/a", b"body")
    encrypted.answer("/b", 302, Location=plain)
    assert fetcher(server, encrypted).get(secure.replace("/a", "/b"), {}) == Failed("insecure_redirect")
    monkeypatch.delenv("SSL_CERT_FILE")
    stranger = fetcher(encrypted).get(secure, {})
    assert isinstance(stranger, Failed)
    assert stranger.code == "tls"
