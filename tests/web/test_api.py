"""The HTTP API: what programs send and get, on both databases; every refusal is a problem document (RFC 9457)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from fixtures.databases import Database
from scheduler.identity.people import make_api_token
from scheduler.settings import Settings
from scheduler.store.models import ApiToken, Booking, Check, Contact, Customer, Notice, Technician
from tests.services.conftest import LUZ, NOW, PONS, SOL, Bench, at, make_bench
from tests.web.conftest import StillClock, WebService
from web.app import create_app

WEDNESDAY = "2026-11-25T10:30:00+01:00"


@dataclass
class Api:
    """A program that speaks for one person."""

    bench: Bench
    client: FlaskClient
    token: str

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self._headers(headers))

    def post(self, path: str, body: object, **headers: str) -> TestResponse:
        data = body if isinstance(body, str) else json.dumps(body)
        sent = self._headers(headers) | {"Content-Type": "application/json"}
        return self.client.post(f"/api/v1{path}", data=data, headers=sent)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in more.items()}


def token_for(bench: Bench, cif: str | None = None, technician: str | None = None) -> str:
    with bench.writing() as (session, _):
        query = select(Contact).join(Customer).where(Customer.cif == cif)
        contact = session.scalars(query).first() if cif else None
        people = select(Technician).where(Technician.name == technician)
        person = session.scalars(people).first() if technician else None
        return make_api_token(session, NOW, "test", contact, person)


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Api:
    """Clínica Sol's program."""
    bench = make_bench(database)
    settings = Settings(folder=tmp_path, base_url="http://localhost/")  # type: ignore[arg-type]
    service = WebService(settings, database.sessions, bench.installation, StillClock(NOW))
    return Api(bench, create_app(service).test_client(), token_for(bench, SOL))


def wish(api: Api, cif: str = SOL, **changed: Any) -> dict[str, Any]:
    with api.bench.writing() as (session, _):
        request = api.bench.request(session, cif, at(25, 10, 30))
    body = {
        "access_point": request.access_point_id,
        "entitlement": request.entitlement_id,
        "start_at": WEDNESDAY,
        "minutes": 60,
    }
    return body | changed


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document, checked for what all have."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:ventana:problem:{code}"
    assert document["title"]
    assert "Traceback" not in response.text
    return document


def bookings(api: Api) -> int | None:
    with api.bench.writing() as (session, _):
        return session.scalar(select(func.count()).select_from(Booking))


# Who asks


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer vnt_wrong", "Basic dTpw", "bearer \udcff", "Bearer " + "x" * 5000],
)
def test_without_a_token_nobody_comes_in(api: Api, header: str) -> None:
    headers = {"Authorization": header.encode("utf-8", "surrogatepass").decode("latin-1")} if header else {}
    response = api.client.get("/api/v1/slots", headers=headers)
    problem(response, 401, "sign_in_failed")


def test_a_revoked_token_is_worth_nothing(api: Api) -> None:
    assert api.get("/slots").status_code == 200
    with api.bench.writing() as (session, _):
        session.execute(update(ApiToken).values(revoked_at=NOW))
    problem(api.get("/slots"), 401, "sign_in_failed")


def test_the_token_of_a_technician_who_left_is_worth_nothing(api: Api) -> None:
    marta = replace(api, token=token_for(api.bench, technician="Marta Ruiz"))
    assert marta.get("/slots").status_code == 200
    with api.bench.writing() as (session, _):
        session.execute(update(Technician).values(active=False))
    problem(marta.get("/slots"), 401, "sign_in_failed")


def test_a_cookie_is_no_token_and_no_form_is_asked_for(api: Api) -> None:
    api.client.set_cookie("ventana_session", api.token)
    problem(api.client.get("/api/v1/slots"), 401, "sign_in_failed")
    assert api.post("/bookings", wish(api)).status_code == 201, "no CSRF token is asked of programs"


# What can be booked


def test_slots_of_the_week(api: Api) -> None:
    answer = api.get("/slots?minutes=60&from=2026-11-24&days=7&kind=hours").get_json()
    assert answer["earliest_at"] == "2026-11-25T09:10:00Z"
    assert answer["slots"][0] == {
        "start_at": "2026-11-25T09:30:00Z",
        "end_at": "2026-11-25T10:30:00Z",
        "technician": 1,
    }
    starts = [slot["start_at"] for slot in answer["slots"]]
    assert starts == sorted(starts)
    other = api.get("/slots?technician=2").get_json()["slots"]
    assert {slot["technician"] for slot in other} == {2}
    assert {slot["technician"] for slot in api.get("/slots?platform=3cx").get_json()["slots"]} == {1}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("minutes=0", "minutes"),
        ("minutes=x", "minutes"),
        ("minutes=٣٠", "minutes"),
        ("days=32", "days"),
        ("days=-1", "days"),
        ("from=mañana", "from"),
        ("from=2026-13-01", "from"),
        ("platform=skype", "platform"),
        ("kind=gratis", "kind"),
        ("technician=99999999999999999999", "technician"),
    ],
)
def test_a_wrong_query_names_its_field(api: Api, query: str, field: str) -> None:
    assert problem(api.get(f"/slots?{query}"), 422, "invalid_input")["field"] == field


@pytest.mark.parametrize("query", ["from=9999-12-31&days=31", "from=0001-01-01", "from=9999-12-31"])
def test_days_at_the_end_of_the_calendar_are_no_accident(api: Api, query: str) -> None:
    assert api.get(f"/slots?{query}").status_code in (200, 422)


def test_doors_and_rights_are_the_customers_own(api: Api) -> None:
    (door,) = api.get("/access-points").get_json()["access_points"]
    assert (door["system"], door["method"], door["credential_kind"]) == (f"PBX {SOL}", "ssh", "our_key")
    assert "credential" not in door
    (right,) = api.get("/entitlements").get_json()["entitlements"]
    assert (right["kind"], right["allowed"], right["balance_minutes"]) == ("hours", True, 600)


# Booking


def test_book_show_move_and_cancel(api: Api) -> None:
    made = api.post("/bookings", wish(api, description="Sin audio.", zone="Atlantic/Canary"))
    assert made.status_code == 201
    document = made.get_json()
    assert made.headers["Location"] == f"/api/v1/bookings/{document['id']}"
    assert (document["status"], document["start_at"], document["verdict"]) == (
        "confirmed",
        "2026-11-25T09:30:00Z",
        "unknown",
    )
    path = f"/bookings/{document['id']}"
    assert api.get(path).get_json() == document
    moved = api.post(f"{path}/move", {"rev": 1, "start_at": "2026-11-26T10:00:00Z"}).get_json()
    assert (moved["start_at"], moved["rev"], moved["uid"]) == ("2026-11-26T10:00:00Z", 2, document["uid"])
    problem(api.post(f"{path}/cancel", {"rev": 1}), 409, "stale_revision")
    assert api.post(f"{path}/cancel", {"rev": 2}).get_json()["status"] == "cancelled"
    problem(api.post(f"{path}/cancel", {"rev": 3}), 409, "transition_not_allowed")
    with api.bench.writing() as (session, _):
        assert session.scalar(select(Booking.wall_zone)) == "Europe/Madrid"
        kinds = session.scalars(
            select(Notice.kind).where(~Notice.kind.startswith("staff_")).order_by(Notice.id)
        ).all()
        assert kinds == ["confirmed", "moved", "cancelled"]


def test_a_taken_slot_offers_alternatives(api: Api) -> None:
    assert api.post("/bookings", wish(api, technician=1)).status_code == 201
    pons = replace(api, token=token_for(api.bench, PONS))
    document = problem(pons.post("/bookings", wish(api, PONS, technician=1)), 409, "slot_taken")
    offered = [datetime.fromisoformat(start) for start in document["facts"]["alternatives"]]
    assert offered == [at(25, 11, 30), at(25, 12), at(25, 12, 30)]


def test_a_refusal_says_times_in_the_zone_of_whom_the_token_speaks_for(api: Api) -> None:
    assert api.post("/bookings", wish(api, technician=1)).status_code == 201
    with api.bench.writing() as (session, _):
        session.execute(update(Customer).where(Customer.cif == PONS).values(zone="Atlantic/Canary"))
    pons = replace(api, token=token_for(api.bench, PONS))
    document = problem(pons.post("/bookings", wish(api, PONS, technician=1)), 409, "slot_taken")
    assert "10:30" in document["detail"], "11:30 in Madrid"
    assert "12:30" not in document["detail"]


@pytest.mark.parametrize(
    ("changed", "status", "code", "field"),
    [
        ({"start_at": "2026-11-25T08:30:00Z"}, 422, "lead_time_too_short", "start"),
        ({"start_at": "2026-11-24T08:30:00Z"}, 422, "in_the_past", "start"),
        ({"start_at": "2026-11-26T02:00:00Z"}, 422, "outside_hours", "start"),
        ({"start_at": "2026-11-26T09:40:00Z"}, 422, "off_grid", "start"),
        ({"start_at": "2027-06-01T09:00:00Z"}, 422, "beyond_horizon", "start"),
        ({"minutes": 45}, 422, "duration_not_offered", "duration"),
        ({"start_at": "2026-11-26T10:00:00"}, 422, "invalid_input", "start_at"),
        ({"start_at": "pronto"}, 422, "invalid_input", "start_at"),
        ({"start_at": "9999-12-31T23:59:00Z"}, 422, "invalid_input", "start_at"),
        ({"start_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid_input", "start_at"),
        ({"minutes": -60}, 422, "invalid_input", "minutes"),
        ({"start_at": None}, 422, "invalid_input", "start_at"),
        ({"minutes": "una hora"}, 422, "invalid_input", "minutes"),
        ({"surprise": 1}, 422, "invalid_input", "surprise"),
        ({"zone": "Europe/Atlantis"}, 422, "invalid_input", "zone"),
        ({"zone": "../../etc/passwd"}, 422, "invalid_input", "zone"),
        ({"description": "Entre por TeamViewer"}, 422, "tool_not_accepted", "description"),
        ({"description": "x" * 4001}, 422, "invalid_input", "description"),
        ({"description": "a\x00b"}, 422, "invalid_input", "description"),
        ({"description": "a\u202eb"}, 422, "invalid_input", "description"),
        ({"access_point": 99}, 404, "not_found", None),
        ({"access_point": 10**30}, 422, "invalid_input", "access_point"),
        ({"entitlement": 99}, 404, "not_found", None),
        ({"technician": 99}, 404, "not_found", None),
        ({"override_reason": "Porque lo digo yo, cliente."}, 403, "not_allowed", None),
    ],
)
def test_what_cannot_be_booked(
    api: Api, changed: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    document = problem(api.post("/bookings", wish(api, **changed)), status, code)
    if field is not None:
        assert document["field"] == field
    assert bookings(api) == 0


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "1", '{"start_at": NaN}'])
def test_a_body_that_is_none_is_refused(api: Api, body: str) -> None:
    assert api.post("/bookings", body).status_code in (400, 422)


def test_two_megabytes_of_description_are_too_much(api: Api) -> None:
    assert api.post("/bookings", wish(api, description="x" * 2_000_000)).status_code == 413
    assert bookings(api) == 0


def test_emoji_and_lines_are_welcome(api: Api) -> None:
    assert api.post("/bookings", wish(api, description="Sin audio 🙂\r\nDesde ayer.")).status_code == 201
    with api.bench.writing() as (session, _):
        assert "🙂" in (session.scalar(select(Booking.description)) or "")


def test_the_same_key_books_once(api: Api) -> None:
    first = api.post("/bookings", wish(api), Idempotency_Key="k-1")
    again = api.post("/bookings", wish(api), Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    problem(api.post("/bookings", wish(api, minutes=30), Idempotency_Key="k-1"), 422, "idempotency_conflict")
    assert bookings(api) == 1


def test_refusals_speak_the_readers_language(api: Api) -> None:
    texts = {
        locale: api.post("/bookings", wish(api, minutes=45), Accept_Language=locale).get_json()["detail"]
        for locale in ("es", "en")
    }
    assert texts["es"] != texts["en"]


def test_a_dispatcher_books_inside_the_lead_time_with_a_reason(api: Api) -> None:
    elena = replace(api, token=token_for(api.bench, technician="Elena Campos"))
    body = wish(api, start_at="2026-11-24T11:00:00Z", override_reason="Centralita caída, autorizado.")
    document = elena.post("/bookings", body).get_json()
    assert document["override_reason"] == "Centralita caída, autorizado."


# Walls


def test_customers_are_walls(api: Api) -> None:
    made = api.post("/bookings", wish(api)).get_json()
    asked = api.post(f"/bookings/{made['id']}/checks", {})
    assert asked.status_code == 202
    other = replace(api, token=token_for(api.bench, LUZ))
    for response in (
        other.get(f"/bookings/{made['id']}"),
        other.post(f"/bookings/{made['id']}/move", {"rev": 1, "start_at": "2026-11-26T10:00:00Z"}),
        other.post(f"/bookings/{made['id']}/cancel", {"rev": 1}),
        other.post(f"/bookings/{made['id']}/checks", {}),
        other.get(f"/checks/{asked.get_json()['id']}"),
        other.post("/bookings", wish(api, SOL)),
    ):
        problem(response, 404, "not_found")
    assert {p["system"] for p in other.get("/access-points?customer=1").get_json()["access_points"]} == {
        f"PBX {LUZ}"
    }
    assert api.get(f"/bookings/{made['id']}").get_json()["rev"] == 1


def test_staff_name_the_customer(api: Api) -> None:
    marta = replace(api, token=token_for(api.bench, technician="Marta Ruiz"))
    with api.bench.writing() as (session, _):
        number = session.scalar(select(Customer.id).where(Customer.cif == PONS))
    (door,) = marta.get(f"/access-points?customer={number}").get_json()["access_points"]
    assert door["system"] == f"PBX {PONS}"
    assert marta.get("/access-points").get_json()["access_points"] == []


# Checks


def test_a_check_is_asked_for_and_read(api: Api) -> None:
    made = api.post("/bookings", wish(api)).get_json()
    asked = api.post(f"/bookings/{made['id']}/checks", {})
    document = asked.get_json()
    assert asked.headers["Location"] == f"/api/v1/checks/{document['id']}"
    assert (document["stage"], document["state"], document["steps"]) == ("on_demand", "planned", [])
    assert api.post(f"/bookings/{made['id']}/checks", {}).get_json()["id"] == document["id"]
    assert api.get(f"/checks/{document['id']}").get_json() == document
    problem(api.get("/checks/999"), 404, "not_found")
    with api.bench.writing() as (session, _):
        assert session.scalar(select(func.count()).where(Check.stage == "on_demand").select_from(Check)) == 1


@pytest.mark.parametrize("path", ["/nothing", "/bookings/x", "/bookings/99999999999999999999999", "/"])
def test_what_is_not_there_is_a_problem_document(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404


def test_a_wrong_verb_is_refused(api: Api) -> None:
    assert api.get("/bookings").status_code == 405
    assert api.client.delete("/api/v1/bookings/1", headers=api._headers({})).status_code in (403, 405)
