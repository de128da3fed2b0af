"""Answers by calendar on the pages: shown to technician and dispatcher, and only where a mailbox is read."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.replies.inbox import _CODES
from scheduler.store.engines import write
from scheduler.store.models import Booking, InvitationAnswer, ReplyInbox
from tests.web.technician_desk import ELENA, MARTA, NOW, SOL, TechnicianDesk, make_desk
from web.commands.doctor import INBOX_REMEDIES
from web.parts.answers import PROBLEM_WORDS


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def declined(desk: TechnicianDesk) -> int:
    """A session that Pablo's calendar program has declined, and a mailbox that has failed since."""
    booked = desk.book(SOL, NOW.replace(day=26))
    with write(desk.service.sessions) as session:
        sequence = session.get_one(Booking, booked).sequence
        said = {"answer": "declined", "comment": "<b>No</b>", "sender": "otro@sol.example"}
        session.add(
            InvitationAnswer(
                booking_id=booked,
                address="pablo@sol.example",
                name="Pablo Sol",
                sequence=sequence,
                stamped_at=NOW,
                received_at=NOW,
                **said,
            )
        )
        session.add(ReplyInbox(id=1, visited_at=NOW, good_at=NOW, problem="login"))
    return booked


def read_answers(desk: TechnicianDesk) -> None:
    desk.service.installation = dataclasses.replace(desk.service.installation, replies=True)


def test_a_decline_is_shown_and_the_booking_stands(desk: TechnicianDesk) -> None:
    booked = declined(desk)
    read_answers(desk)
    for person in (MARTA, ELENA):
        page = desk.browser(person).get(f"/s/{booked}").text
        assert 'data-answer="declined"' in page
        assert "Pablo Sol" in page
        assert "&lt;b&gt;No&lt;/b&gt;" in page
        assert "otro@sol.example" in page
        assert "the booking still stands" in page or "la reserva sigue en pie" in page
    page = desk.browser(ELENA).get("/desk/sending").text
    assert 'data-problem="login"' in page
    assert f'href="/s/{booked}"' in page


def test_a_decline_is_marked_in_the_agenda_and_on_the_next_sessions_card(desk: TechnicianDesk) -> None:
    declined(desk)
    read_answers(desk)
    browser = desk.browser(MARTA)
    pages = [browser.get(f"/agenda?view={view}&from=2026-11-26").text for view in ("week", "day", "list")]
    for page in pages:
        assert '<span class="event-why is-warn">Declined by Pablo Sol</span>' in page
        assert "#calendar-x" in page, "what stands in the line of the hour, where there is no room for words"
        assert "Pablo Sol has declined by calendar; the booking still stands." in page
    browser.client.set_cookie("lang", "es")
    page = browser.get("/agenda?from=2026-11-26").text
    assert "Rechazada por Pablo Sol" in page


@pytest.mark.parametrize("changed", ["moved", "accepted", "over", "unread"])
def test_what_is_no_decline_of_the_session_as_it_stands_is_not_marked(
    desk: TechnicianDesk, changed: str
) -> None:
    booked = declined(desk)
    if changed != "unread":
        read_answers(desk)
    with write(desk.service.sessions) as session:
        if changed == "moved":
            session.get_one(Booking, booked).asked_sequence += 1
        elif changed == "accepted":
            session.query(InvitationAnswer).one().answer = "accepted"
    if changed == "over":
        desk.clock.now = NOW.replace(day=28)
    page = desk.browser(MARTA).get("/agenda?from=2026-11-26").text
    assert "Clínica Sol" in page
    assert "Declined" not in page
    assert "has declined" not in page


def test_without_a_mailbox_nothing_is_shown(desk: TechnicianDesk) -> None:
    booked = declined(desk)
    assert "data-answer" not in desk.browser(MARTA).get(f"/s/{booked}").text
    page = desk.browser(ELENA).get("/desk/sending").text
    assert "data-answer" not in page
    assert "data-problem" not in page


def test_every_failure_has_its_words() -> None:
    codes = {code for code in _CODES.values() if code} | {"no_starttls", "login", "folder"}
    assert codes == set(PROBLEM_WORDS) == set(INBOX_REMEDIES)
