"""Who sees what in which calendar: every scope and detail, for every role, with two customers."""

import re
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest

from scheduler.calendars import secrets
from scheduler.links import token_hash
from scheduler.store.models import Booking, Contact, Customer, Technician
from tests.web.technician_desk import ELENA, JORDI, LUZ, MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk

DAY = timedelta(days=1)
NAMES = {SOL: "Clínica Sol", PONS: "Gestoría Pons", LUZ: "Óptica Luz"}
HOST = b"pbx.example.com"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> TechnicianDesk:
    """Marta attends Sol and Pons, Jordi attends Sol, and a session of Marta's with Luz was cancelled."""
    made = make_desk(tmp_path_factory.mktemp("walls"), sqlite_template)
    made.book(SOL, NOW + DAY, description="Palabras de Sol.")
    made.book(PONS, NOW + 2 * DAY, description="Palabras de Pons.")
    made.book(SOL, NOW + 3 * DAY, technician_id=made.person(JORDI), description="Palabras de Sol.")
    return made


def read(desk: TechnicianDesk, owner: str, scope: str, detail: str = "full") -> bytes:
    """The whole calendar of this scope for a technician's e-mail or a customer's CIF."""
    settings = secrets.FeedSettings(detail)
    with desk.writing() as (session, _):
        key = desk.service.feed_key
        if scope == "customer":
            contact = session.query(Contact).join(Customer).filter(Customer.cif == owner).one()
            row = secrets.create_customer_feed(session, key, contact.id, NOW, settings)
        else:
            person = session.query(Technician).filter(Technician.email == owner).one()
            row = secrets.create_feed(session, key, person.id, scope, NOW, settings)
        path = secrets.feed_url("", secrets.feed_secret(key, row), scope)
    answer = desk.app.test_client().get(path)
    assert answer.status_code == 200
    return bytes(answer.data).replace(b"\r\n ", b"")


def sessions_in(body: bytes) -> int:
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return sum(1 for event in events if not str(event["UID"]).startswith("slot-"))


@pytest.mark.parametrize("detail", secrets.DETAILS)
@pytest.mark.parametrize(
    ("owner", "scope", "shown", "sessions"),
    [
        (MARTA, "interventions", {SOL, PONS}, 2),
        (JORDI, "interventions", {SOL}, 1),
        (ELENA, "interventions", set(), 0),
        (MARTA, "slots", {SOL, PONS}, 2),
        (JORDI, "slots", {SOL}, 1),
        (ELENA, "team", {SOL, PONS}, 3),
    ],
)
def test_a_technicians_calendar_shows_their_sessions_and_a_dispatchers_all(
    desk: TechnicianDesk, owner: str, scope: str, shown: set[str], sessions: int, detail: str
) -> None:
    body = read(desk, owner, scope, detail)
    assert sessions_in(body) == sessions
    told = {cif for cif, name in NAMES.items() if name.encode() in body}
    assert told == (set() if detail == "busy" else shown)
    assert (HOST in body) is (detail == "host" and bool(shown))
    if detail == "busy":
        assert not re.search(rb"Asterisk|LOCATION|CATEGORIES|Palabras|/s/\d", body)


@pytest.mark.parametrize(("cif", "other"), [(SOL, PONS), (PONS, SOL), (LUZ, SOL)])
def test_a_customers_calendar_shows_nothing_of_other_customers(
    desk: TechnicianDesk, cif: str, other: str
) -> None:
    body = read(desk, cif, "customer")
    assert sessions_in(body) == {SOL: 2, PONS: 1, LUZ: 0}[cif]
    with desk.reading() as session:
        strangers = session.query(Customer).filter(Customer.cif != cif).all()
        words = [NAMES[it.cif] for it in strangers] + [it.cif for it in strangers]
        words += [contact.email for it in strangers for contact in it.contacts]
        words += [f"Central {it.cif[-3:]}" for it in strangers]
    assert [word for word in words if word.encode() in body] == []
    assert HOST not in body
    assert f"Palabras de {NAMES[other].split()[1]}".encode() not in body
    # Nor does it tell the inside of the desk: no light, no staff page, no address of staff.
    assert not re.search(rb"sin probar|/s/\d|levantia\.example;|Derecho", body)


def test_a_customers_links_lead_to_their_own_sessions(desk: TechnicianDesk) -> None:
    for cif, count in ((SOL, 2), (PONS, 1)):
        links = set(re.findall(rb"URL:http://localhost/a/(\S+)", read(desk, cif, "customer")))
        assert len(links) == count
        for token in (link.decode() for link in links):
            assert desk.app.test_client().get(f"/a/{token}").status_code == 200
            with desk.reading() as session:
                row = session.query(Booking).filter(Booking.link_hash == token_hash(token)).one()
                assert row.customer.cif == cif


def test_a_link_is_kept_nowhere_in_the_stored_bytes(desk: TechnicianDesk) -> None:
    stored = desk.service.settings.folder / "ventana.db"
    links = re.findall(rb"/a/([\w-]{24})", read(desk, SOL, "customer"))
    assert links
    with desk.reading() as session:
        rows = (
            session.connection()
            .exec_driver_sql("SELECT vevent_customer FROM calendar_object")
            .scalars()
            .all()
        )
    assert stored.exists()
    assert not [link for link in links for row in rows if link in row.replace(b"\r\n ", b"")]


def test_the_team_says_whose_each_session_is(desk: TechnicianDesk) -> None:
    for detail in secrets.DETAILS:
        calendar = icalendar.Calendar.from_ical(read(desk, ELENA, "team", detail))
        names = [str(event["SUMMARY"]).rpartition(" · ")[2] for event in calendar.walk("VEVENT")]
        assert names == ["Marta Ruiz", "Marta Ruiz", "Jordi Soler"]


def test_free_busy_tells_times_and_nothing_else(desk: TechnicianDesk) -> None:
    body = read(desk, MARTA, "freebusy")
    calendar = icalendar.Calendar.from_ical(body)
    (found,) = calendar.walk("VFREEBUSY")
    assert not calendar.walk("VEVENT")
    periods = [line for line in body.decode().split("\r\n") if line.startswith("FREEBUSY")]
    assert periods == [
        "FREEBUSY;FBTYPE=BUSY:20261125T091000Z/20261125T101000Z",
        "FREEBUSY;FBTYPE=BUSY:20261126T091000Z/20261126T101000Z",
    ]
    assert str(found["ORGANIZER"]) == f"mailto:{MARTA}"
    assert not [name for name in NAMES.values() if name.encode() in body]


@pytest.mark.parametrize(
    ("scope", "file"),
    [
        ("freebusy", "intervenciones.ics"),
        ("interventions", "freebusy.ifb"),
        ("slots", "freebusy.ifb"),
        ("interventions", "otro.ics"),
    ],
)
def test_an_address_tells_one_thing(desk: TechnicianDesk, scope: str, file: str) -> None:
    with desk.writing() as (session, _):
        row = secrets.create_feed(session, desk.service.feed_key, desk.person(MARTA), scope, NOW)
        secret = secrets.feed_secret(desk.service.feed_key, row).reveal()
    assert desk.app.test_client().get(f"/cal/{secret}/{file}").status_code == 404


def test_who_is_no_dispatcher_any_more_reads_no_team(tmp_path: Path, sqlite_template: Path) -> None:
    desk = make_desk(tmp_path, sqlite_template)
    with desk.writing() as (session, _):
        row = secrets.create_feed(session, desk.service.feed_key, desk.person(ELENA), "team", NOW)
        secret = secrets.feed_secret(desk.service.feed_key, row)
    path = secrets.feed_url("", secret)
    assert desk.app.test_client().get(path).status_code == 200
    with desk.writing() as (session, _):
        session.get_one(Technician, desk.person(ELENA)).role = "technician"
    assert desk.app.test_client().get(path).status_code == 410


def test_a_customers_person_makes_rotates_and_ends_an_address(tmp_path: Path, sqlite_template: Path) -> None:
    desk = make_desk(tmp_path, sqlite_template)
    desk.book(SOL, NOW + DAY)
    browser = desk.customer_browser()
    browser.get("/book/calendar")
    assert browser.post("/book/calendar").status_code == 303
    page = browser.get("/book/calendar").get_data(as_text=True)
    found = re.search(r'value="http://localhost(/cal/[^"]+)"', page)
    assert found
    assert browser.get("/book/calendar/qr/1.svg").mimetype == "image/svg+xml"
    assert desk.app.test_client().get(found[1], headers={"User-Agent": "Thunderbird/153"}).status_code == 200
    assert "by Thunderbird" in browser.get("/book/calendar").get_data(as_text=True)
    browser.post("/book/calendar/1/settings", alarm="30")
    assert b"TRIGGER:-PT30M" in desk.app.test_client().get(found[1]).data
    browser.post("/book/calendar/1/rotate")
    assert desk.app.test_client().get(found[1]).status_code == 410
    browser.post("/book/calendar/2/revoke")
    assert "/cal/" not in browser.get("/book/calendar").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/book/calendar", "/book/calendar/qr/1.svg"])
def test_a_sessions_link_alone_opens_no_calendar_of_the_customer(desk: TechnicianDesk, path: str) -> None:
    for browser in (desk.browser(), desk.browser(MARTA)):
        assert browser.get(path).status_code == 303


def test_staff_and_customers_do_not_reach_each_others_addresses(
    tmp_path: Path, sqlite_template: Path
) -> None:
    desk = make_desk(tmp_path, sqlite_template)
    customer, marta = desk.customer_browser(), desk.browser(MARTA)
    customer.get("/book/calendar")
    customer.post("/book/calendar")
    marta.post("/agenda/feeds", scope="interventions")
    for verb in ("rotate", "revoke", "settings"):
        assert marta.post(f"/agenda/feeds/1/{verb}").status_code == 404
        assert customer.post(f"/book/calendar/2/{verb}").status_code == 404
    assert customer.get("/book/calendar/qr/2.svg").status_code == 404
