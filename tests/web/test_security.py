from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduler.identity.people import make_api_token
from scheduler.links import token_hash
from scheduler.rules.refusals import SignInFailed
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import ApiToken, Contact, Technician, WebSession
from web import gatekeeping, security
from web.app import create_app

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def doors(app: Flask) -> Flask:
    """Pages behind each kind of door."""

    @app.get("/customers-only")
    @security.customer_required
    def customers_only() -> str:
        person = security.current_person()
        assert person is not None
        return f"{person.company} {person.actor}"

    @app.get("/staff-only")
    @security.staff_required()
    def staff_only() -> str:
        person = security.current_person()
        assert person is not None
        return f"{person.name} {person.initials} {person.actor}"

    @app.get("/dispatchers-only")
    @security.staff_required("dispatcher")
    def dispatchers_only() -> str:
        return "yes"

    @app.post("/change")
    def change() -> str:
        return "changed"

    @app.get("/token")
    def token() -> str:
        return gatekeeping.csrf_token()

    return app


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/conditions", "/healthz", "/no-such-page"])
    def test_every_answer_carries_them(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == CSP
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers

    def test_https_is_remembered_by_browsers(self, service: Any, people: Any, tmp_path: Any) -> None:
        service.settings = Settings(folder=tmp_path, base_url="https://support.example/")  # type: ignore[arg-type]
        headers = create_app(service).test_client().get("/").headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_pages_of_a_person_are_not_kept(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any
    ) -> None:
        assert client.get("/conditions").headers["Cache-Control"] == "no-cache"
        sign_in_as(client, people.marta, Technician)
        assert client.get("/conditions").headers["Cache-Control"] == "no-store"
        assert client.get("/staff-only").headers["Cache-Control"] == "no-store"


class TestSessions:
    def test_a_customer_comes_in_and_leaves(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any, csrf_of: Any
    ) -> None:
        sign_in_as(client, people.contact, Contact)
        assert client.get("/customers-only").text == f"Clínica Sol, S.L. customer:{people.contact}"
        token = csrf_of(client.get("/conditions").text)
        assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303
        assert client.get("/customers-only").status_code == 303

    def test_staff_are_known_by_name(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any
    ) -> None:
        sign_in_as(client, people.marta, Technician)
        assert client.get("/staff-only").text == f"Marta Ruiz MR technician:{people.marta}"

    def test_doors_keep_kinds_and_roles_apart(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any
    ) -> None:
        assert client.get("/staff-only").headers["Location"] == "/sign-in?next=/staff-only"
        assert client.get("/customers-only?a=1").headers["Location"] == "/book?next=/customers-only%3Fa%3D1"
        sign_in_as(client, people.contact, Contact)
        assert client.get("/staff-only").status_code == 303
        sign_in_as(client, people.marta, Technician)
        assert client.get("/customers-only").status_code == 303
        assert client.get("/dispatchers-only").status_code == 403
        sign_in_as(client, people.elena, Technician)
        assert client.get("/dispatchers-only").text == "yes"

    def test_htmx_is_led_to_the_door_by_a_whole_page(self, doors: Flask, client: FlaskClient) -> None:
        answer = client.get("/staff-only", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")

    def test_only_the_hash_of_the_cookie_is_kept(
        self, client: FlaskClient, sign_in_as: Any, people: Any, service: Any
    ) -> None:
        sign_in_as(client, people.marta, Technician)
        cookie = client.get_cookie("ventana_session")
        assert cookie is not None
        assert len(cookie.value) >= 43, "256 bits"
        with read(service.sessions) as session:
            assert session.scalars(select(WebSession.token_hash)).all() == [token_hash(cookie.value)]

    def test_cookies_cannot_be_read_by_scripts_and_are_host_bound_on_https(
        self, service: Any, people: Any, tmp_path: Any
    ) -> None:
        service.settings = Settings(folder=tmp_path, base_url="https://support.example/")  # type: ignore[arg-type]
        app = create_app(service)
        with app.test_request_context(), write(service.sessions) as session:
            security.sign_in(session, session.get_one(Technician, people.marta), service.clock())
            cookie = app.process_response(app.make_response("")).headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=36000"):
            assert flag in cookie
        assert "Domain" not in cookie

    @pytest.mark.parametrize(("kind", "path"), [(Technician, "/staff-only"), (Contact, "/customers-only")])
    def test_a_session_ends_when_idle(
        self,
        doors: Flask,
        client: FlaskClient,
        sign_in_as: Any,
        people: Any,
        service: Any,
        kind: Any,
        path: str,
    ) -> None:
        sign_in_as(client, people.marta if kind is Technician else people.contact, kind)
        service.clock.advance(security.IDLE_LIFE - timedelta(seconds=1))
        assert client.get(path).status_code == 200
        service.clock.advance(security.IDLE_LIFE)
        assert client.get(path).status_code == 303

    @pytest.mark.parametrize(
        ("kind", "path", "life"),
        [(Technician, "/staff-only", timedelta(hours=10)), (Contact, "/customers-only", timedelta(hours=12))],
    )
    def test_a_session_ends_at_last_though_it_is_used(
        self,
        doors: Flask,
        client: FlaskClient,
        sign_in_as: Any,
        people: Any,
        service: Any,
        kind: Any,
        path: str,
        life: timedelta,
    ) -> None:
        sign_in_as(client, people.marta if kind is Technician else people.contact, kind)
        started = service.clock()
        while service.clock() + timedelta(hours=1) < started + life:
            service.clock.advance(timedelta(hours=1))
            assert client.get(path).status_code == 200
        service.clock.now = started + life
        assert client.get(path).status_code == 303

    def test_all_sessions_of_a_person_end_at_once(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any, service: Any
    ) -> None:
        sign_in_as(client, people.marta, Technician)
        with write(service.sessions) as session:
            security.end_all_sessions(session.get_one(Technician, people.marta))
        assert client.get("/staff-only").status_code == 303

    def test_who_left_the_desk_is_out(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any, service: Any
    ) -> None:
        sign_in_as(client, people.marta, Technician)
        with write(service.sessions) as session:
            session.get_one(Technician, people.marta).active = False
        assert client.get("/staff-only").status_code == 303

    def test_signing_in_again_ends_the_old_session(
        self, client: FlaskClient, app: Flask, sign_in_as: Any, people: Any, service: Any
    ) -> None:
        sign_in_as(client, people.marta, Technician)
        cookie = client.get_cookie("ventana_session")
        assert cookie is not None
        headers = {"Cookie": f"ventana_session={cookie.value}"}
        with app.test_request_context(headers=headers), write(service.sessions) as session:
            security.sign_in(session, session.get_one(Technician, people.elena), service.clock())
        with read(service.sessions) as session:
            assert session.scalars(select(WebSession.technician_id)).all() == [people.elena]

    def test_a_made_up_cookie_is_nobody(self, doors: Flask, client: FlaskClient) -> None:
        client.set_cookie("ventana_session", "x" * 43)
        assert client.get("/staff-only").status_code == 303


class TestForms:
    def test_a_form_needs_its_token(self, doors: Flask, client: FlaskClient) -> None:
        token = client.get("/token").text
        assert client.post("/change", data={"csrf_token": token}).text == "changed"
        for data in ({}, {"csrf_token": ""}, {"csrf_token": token[:-1] + "x"}, {"csrf_token": "ñ"}):
            answer = client.post("/change", data=data)
            assert answer.status_code == 403
            assert "Este formulario ya no vale" in answer.text

    def test_the_token_of_one_browser_is_worthless_in_another(
        self, doors: Flask, client: FlaskClient
    ) -> None:
        token = client.get("/token").text
        assert doors.test_client().post("/change", data={"csrf_token": token}).status_code == 403

    def test_the_token_changes_with_the_session(
        self, doors: Flask, client: FlaskClient, sign_in_as: Any, people: Any
    ) -> None:
        before = client.get("/token").text
        sign_in_as(client, people.marta, Technician)
        assert client.post("/change", data={"csrf_token": before}).status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    def test_foreign_pages_cannot_send_forms(
        self, doors: Flask, client: FlaskClient, headers: dict[str, str]
    ) -> None:
        token = client.get("/token").text
        assert client.post("/change", data={"csrf_token": token}, headers=headers).status_code == 403

    def test_our_own_pages_can(self, doors: Flask, client: FlaskClient) -> None:
        token = client.get("/token").text
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        assert client.post("/change", data={"csrf_token": token}, headers=headers).status_code == 200

    def test_htmx_may_send_it_as_a_header(self, doors: Flask, client: FlaskClient) -> None:
        token = client.get("/token").text
        assert client.post("/change", headers={"X-CSRF-Token": token}).status_code == 200


class TestApiTokens:
    def test_a_token_acts_for_its_person(self, app: Flask, people: Any, service: Any) -> None:
        with write(service.sessions) as session:
            contact = session.get_one(Contact, people.contact)
            token = make_api_token(session, service.clock(), "script", contact, None)
        with app.test_request_context(headers={"Authorization": f"Bearer {token}"}):
            assert str(security.api_person().actor) == f"customer:{people.contact}"

    def test_a_revoked_token_is_nobody(self, app: Flask, people: Any, service: Any) -> None:
        with write(service.sessions) as session:
            marta = session.get_one(Technician, people.marta)
            token = make_api_token(session, service.clock(), "script", None, marta)
            session.get_one(ApiToken, token_hash(token)).revoked_at = service.clock()
        with (
            app.test_request_context(headers={"Authorization": f"Bearer {token}"}),
            pytest.raises(SignInFailed),
        ):
            security.api_person()

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer nope", "Basic bm9wZQ=="])
    def test_anything_else_is_nobody(self, app: Flask, header: str) -> None:
        with app.test_request_context(headers={"Authorization": header}), pytest.raises(SignInFailed):
            security.api_person()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "unknown"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_limits_count_by_network(address: str | None, network: str) -> None:
    assert gatekeeping.network_of(address) == network


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/agenda?week=2", "/agenda?week=2"),
        ("https://evil.example/", "/x"),
        ("//evil.example/", "/x"),
        ("/\\evil.example/", "/x"),
        ("/ok\nSet-Cookie: a", "/x"),
        ("javascript:alert(1)", "/x"),
        ("", "/x"),
        (None, "/x"),
    ],
)
def test_people_are_led_back_only_to_our_own_pages(target: str | None, path: str) -> None:
    assert gatekeeping.local_path(target, "/x") == path
