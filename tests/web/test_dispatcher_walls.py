"""Who may see the dispatcher's pages: every route of the room against every kind of reader, from the URL map itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.routing import Map, Rule

from tests.web.technician_desk import ELENA, MARTA, Browser, TechnicianDesk, make_desk

READERS = ("nobody", "customer", "technician")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path_factory.mktemp("walls"), sqlite_template)
    yield made
    made.service.close()


def rules(urls: Map) -> list[Rule]:
    return [rule for rule in urls.iter_rules() if rule.endpoint.startswith("dispatcher.")]


def addresses(desk: TechnicianDesk) -> list[tuple[str, str]]:
    """Method and address of every route, with 1 (or the word x) in each of its places."""
    adapter = desk.app.url_map.bind("localhost")
    found = []
    for rule in rules(desk.app.url_map):
        values = {name: 1 if "Int" in type(kind).__name__ else "x" for name, kind in rule._converters.items()}
        path = adapter.build(rule.endpoint, values)
        found += [(method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def browser_of(desk: TechnicianDesk, reader: str) -> Browser:
    if reader == "customer":
        return desk.customer_browser()
    return desk.browser({"nobody": None, "technician": MARTA, "dispatcher": ELENA}[reader])


def test_there_are_routes_to_guard(desk: TechnicianDesk) -> None:
    assert ("GET", "/customers") in addresses(desk)


@pytest.mark.parametrize("reader", READERS)
def test_no_route_lets_others_in(desk: TechnicianDesk, reader: str) -> None:
    browser = browser_of(desk, reader)
    browser.get("/book/unknown")  # any form, for its token
    for method, path in addresses(desk):
        answer = browser.get(path) if method == "GET" else browser.post(path)
        if reader == "technician":
            assert answer.status_code == 403, f"{method} {path}"
        else:
            assert answer.status_code == 303, f"{method} {path}"
            assert answer.headers["Location"].startswith("/sign-in"), f"{method} {path}"


def test_the_dispatcher_is_let_in_everywhere(desk: TechnicianDesk) -> None:
    browser = browser_of(desk, "dispatcher")
    browser.get("/book/unknown")
    for method, path in addresses(desk):
        if method == "GET":
            assert browser.get(path).status_code in (200, 302, 303, 404), path


def test_only_the_dispatcher_is_shown_the_way(desk: TechnicianDesk) -> None:
    assert 'href="/customers"' in browser_of(desk, "dispatcher").get("/agenda").get_data(as_text=True)
    assert 'href="/customers"' not in browser_of(desk, "technician").get("/agenda").get_data(as_text=True)
