"""A session's page: what it tells, and what may be done by whom and when."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.store.models import (
    AccessPoint,
    Check,
    Entitlement,
    Notice,
    PinnedIdentity,
)
from tests.web.technician_desk import (
    ELENA,
    JORDI,
    LUZ,
    MARTA,
    NOW,
    PONS,
    SOL,
    TechnicianDesk,
    make_desk,
)

SOON = NOW + timedelta(minutes=20)


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


GETS = ("", "/cancel", "/move", "/move/summary", "/check/1/events")
POSTS = ("/check", "/host-key", "/start", "/close", "/credential", "/cancel", "/move")


@pytest.mark.parametrize("path", GETS)
def test_another_technician_is_refused_to_look(desk: TechnicianDesk, path: str) -> None:
    row_id = desk.book(SOL, SOON)
    assert desk.browser(JORDI).get(f"/s/{row_id}{path}").status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_only_the_sessions_people_may_act(desk: TechnicianDesk, path: str) -> None:
    row_id = desk.book(SOL, SOON)
    answer = desk.browser(JORDI).post(f"/s/{row_id}{path}", rev=1, hours="1", start="2026-11-25T10:10Z")
    assert answer.status_code == 403
    for stranger in (desk.browser(), desk.customer_browser()):
        answer = stranger.post(f"/s/{row_id}{path}", rev=1)
        assert (answer.status_code, answer.headers.get("Location", "")[:8]) == (303, "/sign-in")
    row = desk.row(row_id)
    assert (row.status, row.rev) == ("confirmed", 1)


@pytest.mark.parametrize("number", [99, 10**14, 10**20])
def test_a_session_that_is_not_there_is_not_found(desk: TechnicianDesk, number: int) -> None:
    assert desk.browser(MARTA).get(f"/s/{number}").status_code == 404


def test_the_page_tells_what_the_technician_needs(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    for said in (
        "Clínica Sol",
        "ssh -p 2222 soporte@pbx.example.com",
        "Las llamadas se cortan.",
        "Persona 343",
        'href="tel:960000002"',
        "Centralita parada, lo pide el cliente.",
        "9 h",
        "nothing of theirs to reveal",
        "Tuesday 24 November, 10:30–11:30",
    ):
        assert said in page
    assert desk.browser(ELENA).get(f"/s/{row_id}").status_code == 200


@pytest.mark.parametrize(
    ("username", "command"),
    [
        ("root", "ssh -p 2222 root@pbx.example.com"),
        ("-oProxyCommand=reboot", "ssh -p 2222 -- -oProxyCommand=reboot@pbx.example.com"),
        ("a; reboot", "ssh -p 2222 &#39;a; reboot@pbx.example.com&#39;"),
    ],
)
def test_the_ssh_command_is_safe_to_paste(desk: TechnicianDesk, username: str, command: str) -> None:
    row_id = desk.book(SOL, SOON)
    with desk.writing() as (session, _):
        session.get_one(AccessPoint, 1).username = username
    assert f">{command}</code>" in desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)


def test_other_ways_in_show_their_address(desk: TechnicianDesk) -> None:
    row_id = desk.book(LUZ, SOON)
    browser = desk.browser(MARTA)
    assert ">pbx.example.com:3389</code>" in browser.get(f"/s/{row_id}").get_data(as_text=True)
    with desk.writing() as (session, _):
        door = session.get_one(AccessPoint, 3)
        door.method, door.host, door.port = "web", "2001:db8::7", 5001
    assert 'href="https://[2001:db8::7]:5001/"' in browser.get(f"/s/{row_id}").get_data(as_text=True)


def test_a_failing_check_shows_its_step_and_one_command(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    desk.checked(row_id, "not_ready", "auth_failed", ("port", "ok", None), ("login", "fail", "auth_failed"))
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    assert "We cannot get in." in page
    assert "You can book" not in page
    assert 'id="step-login" class="step is-fail"' in page
    assert "authorized_keys</code>" in page


def test_testing_again_writes_one_check_and_shows_it_live(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    browser = desk.browser(MARTA)
    for _ in range(2):
        assert browser.post(f"/s/{row_id}/check").headers["Location"] == f"/s/{row_id}#access"
    with desk.reading() as session:
        asked = session.scalars(select(Check).where(Check.stage == "on_demand")).all()
    assert [check.requested_by for check in asked] == [f"technician:{desk.person(MARTA)}"]
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert f'hx-sse:connect="/s/{row_id}/check/{asked[0].id}/events"' in page


def test_too_many_tests_name_the_moment_from_which_there_may_be_more(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    with desk.writing() as (session, _):
        for _ in range(20):
            session.add(
                Check(
                    access_point_id=1,
                    rev=1,
                    stage="on_demand",
                    state="done",
                    due_at=NOW,
                    finished_at=NOW,
                )
            )
    browser = desk.browser(MARTA)
    answer = browser.post(f"/s/{row_id}/check")
    assert answer.headers["Location"] == f"/s/{row_id}?wait=2026-11-24T10:10Z"
    assert "You can test again from 11:10" in browser.get(answer.headers["Location"]).get_data(as_text=True)


def test_the_stream_ends_with_the_verdict_in_the_desks_words(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    desk.checked(row_id, "ready", None, ("port", "ok", None), ("asterisk", "ok", None))
    with desk.reading() as session:
        check_id = session.scalars(select(Check.id).where(Check.state == "done")).one()
    answer = desk.browser(MARTA).get(f"/s/{row_id}/check/{check_id}/events")
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/event-stream"
    assert 'id="step-asterisk"' in text
    assert "We can get in." in text
    assert text.rstrip().endswith("event: end\ndata: .")


def test_a_check_of_another_session_is_not_streamed(desk: TechnicianDesk) -> None:
    row_id, other = desk.book(SOL, SOON), desk.book(PONS, SOON + timedelta(days=1))
    desk.checked(other, "ready", None, ("asterisk", "ok", None))
    with desk.reading() as session:
        check_id = session.scalars(select(Check.id).where(Check.state == "done")).one()
    assert desk.browser(MARTA).get(f"/s/{row_id}/check/{check_id}/events").status_code == 404


def test_the_desk_confirms_a_host_key_and_tests_again(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    with desk.writing() as (session, _):
        session.add(
            PinnedIdentity(
                access_point_id=1,
                public_key="ssh-ed25519 AAAA",
                fingerprint="SHA256:abc",
                state="seen",
                first_seen_at=NOW,
            )
        )
    browser = desk.browser(MARTA)
    assert "It is theirs: confirm it" in browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert browser.post(f"/s/{row_id}/host-key", fingerprint="SHA256:other").status_code == 404
    assert browser.post(f"/s/{row_id}/host-key", fingerprint="SHA256:abc").status_code == 303
    with desk.reading() as session:
        pin = session.scalars(select(PinnedIdentity)).one()
        assert (pin.state, pin.confirmed_by) == ("confirmed", f"technician:{desk.person(MARTA)}")
        assert session.scalar(select(Check.id).where(Check.stage == "on_demand")) is not None


def test_the_live_check_asks_the_desk_in_its_own_words_whether_the_key_is_theirs(
    desk: TechnicianDesk,
) -> None:
    row_id = desk.book(SOL, SOON)
    desk.checked(row_id, "at_risk", "hostkey_unknown", ("host_key", "warn", "hostkey_unknown"))
    browser = desk.browser(MARTA)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert 'form="confirm-host-key" name="fingerprint" value="SHA256:abc">It is theirs: confirm it<' in page
    assert "It is mine" not in page
    assert "server&#39;s key to confirm" in browser.get("/agenda").get_data(as_text=True)


def test_a_session_is_started_and_closed(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    browser = desk.browser(MARTA)
    desk.clock.now = SOON + timedelta(minutes=2)
    assert browser.post(f"/s/{row_id}/start", rev=1).status_code == 303
    desk.clock.now += timedelta(minutes=40)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "The session is under way · since 10:32 · 40 min" in " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert 'name="hours" inputmode="decimal" required maxlength="8" autocomplete="off" value="0.75"' in page
    assert browser.post(f"/s/{row_id}/close", rev=2, hours="0.75", note="Era el router.").status_code == 303
    with desk.reading() as session:
        assert session.get_one(Entitlement, 1).balance_minutes == 555
        assert (
            "Era el router." in session.scalars(select(Notice.text).where(Notice.kind == "completed")).one()
        )
    assert "Era el router." in browser.get(f"/s/{row_id}").get_data(as_text=True)


@pytest.mark.parametrize("hours", ["", "0,8", "uno", "-1", "25", "NaN", "1e9999", "Infinity", "9" * 400])
def test_hours_that_are_not_quarters_are_refused_with_the_form_kept(desk: TechnicianDesk, hours: str) -> None:
    row_id = desk.book(SOL, NOW - timedelta(hours=2))
    answer = desk.browser(MARTA).post(f"/s/{row_id}/close", rev=1, hours=hours, note="Una nota larga.")
    assert answer.status_code == 422
    assert "Una nota larga." in answer.get_data(as_text=True)
    assert desk.row(row_id).status == "confirmed"


def test_more_hours_than_the_bundle_has_are_refused(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW - timedelta(hours=2))
    answer = desk.browser(MARTA).post(f"/s/{row_id}/close", rev=1, hours="11")
    assert (answer.status_code, desk.row(row_id).status) == (409, "confirmed")
    with desk.reading() as session:
        assert session.get_one(Entitlement, 1).balance_minutes == 540


@pytest.mark.parametrize(
    ("path", "form"),
    [("/start", {}), ("/close", {"hours": "1"}), ("/cancel", {}), ("/move", {"start": "2026-11-26T09:00Z"})],
)
def test_a_page_that_is_out_of_date_changes_nothing(
    desk: TechnicianDesk, path: str, form: dict[str, str]
) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    if path == "/close":
        desk.clock.now += timedelta(days=2)
    answer = desk.browser(MARTA).post(f"/s/{row_id}{path}", rev=7, **form)
    assert answer.status_code == 409
    assert "Somebody changed this booking" in answer.get_data(as_text=True)
    assert (desk.row(row_id).status, desk.row(row_id).rev) == ("confirmed", 1)


def test_cancelling_asks_first_and_gives_the_hours_back(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    browser = desk.browser(MARTA)
    assert "Cancel this session?" in browser.get(f"/s/{row_id}/cancel").get_data(as_text=True)
    assert browser.post(f"/s/{row_id}/cancel", rev=1).status_code == 303
    assert desk.row(row_id).status == "cancelled"
    with desk.reading() as session:
        assert session.get_one(Entitlement, 1).balance_minutes == 600
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "Cancelled" in page
    assert "/move" not in page
    assert "can no longer be cancelled" in browser.get(f"/s/{row_id}/cancel").get_data(as_text=True)


def test_a_technician_moves_to_a_free_time(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    browser = desk.browser(MARTA)
    page = browser.get(f"/s/{row_id}/move").get_data(as_text=True)
    assert 'value="2026-11-26T08:00Z"' in page
    assert "override_reason" not in page
    assert browser.post(f"/s/{row_id}/move", rev=1, start="2026-11-26T08:00Z").status_code == 303
    assert desk.row(row_id).starts_at == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_a_technician_does_not_override_the_notice(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    browser = desk.browser(MARTA)
    soon = {"wall": "2026-11-24T12:00", "override_reason": "Centralita parada, urge."}
    assert browser.post(f"/s/{row_id}/move", rev=1, **soon).status_code == 403
    answer = browser.post(f"/s/{row_id}/move", rev=1, start="2026-11-24T11:00Z")
    assert answer.status_code == 422
    assert desk.row(row_id).rev == 1


def test_a_dispatcher_moves_anywhere_with_a_reason_and_to_anybody(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    browser, jordi = desk.browser(ELENA), desk.person(JORDI)
    assert "Free times of Jordi Soler" in browser.get(f"/s/{row_id}/move?technician={jordi}").get_data(
        as_text=True
    )
    wish = {"technician": jordi, "wall": "2026-11-24T21:10", "override_reason": "Centralita parada, urge."}
    assert browser.post(f"/s/{row_id}/move", rev=1, **wish).status_code == 303
    row = desk.row(row_id)
    assert (row.starts_at, row.technician_id) == (datetime(2026, 11, 24, 20, 10, tzinfo=UTC), jordi)
    assert row.override_reason == "Centralita parada, urge."


@pytest.mark.parametrize(
    ("wall", "reason", "said"),
    [
        ("mañana", "Centralita parada, urge.", "wall"),
        ("2027-03-28T02:30", "Centralita parada, urge.", "clock"),
        ("2026-11-24T21:10", "urge", "override_reason"),
        ("", "", "start"),
    ],
)
def test_a_moment_or_reason_that_cannot_be_is_refused(
    desk: TechnicianDesk, wall: str, reason: str, said: str
) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=1))
    answer = desk.browser(ELENA).post(f"/s/{row_id}/move", rev=1, wall=wall, override_reason=reason)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert desk.row(row_id).rev == 1
