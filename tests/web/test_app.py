import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fixtures.databases import Database
from scheduler.settings import Settings
from web import assets
from web.app import MAX_REQUEST_BYTES, create_app

DIST = Path(assets.DIST)


@pytest.mark.parametrize("path", ["/", "/conditions", "/nothing-here"])
def test_every_page_has_language_title_landmarks_and_no_inline_code(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert '<html lang="es"' in page
    assert "· Soporte Levantia</title>" in page
    assert page.count("<main") == page.count("<header") == page.count("<footer") == page.count("<h1") == 1
    assert " style=" not in page
    assert "<style" not in page
    assert " on" + "click" not in page
    assert "<script>" not in page


def test_the_footer_says_when_the_desk_attends(client: FlaskClient) -> None:
    assert (
        "Horario de atención: lunes a jueves de 9:00 a 14:00 y de 15:00 a 18:00, viernes de 9:00 a 15:00 "
        "(España peninsular)." in client.get("/").text
    )


def test_pages_work_before_any_desk_was_loaded(sqlite_database: Database, service: object) -> None:
    bare = create_app(service)  # type: ignore[arg-type]  # the fixture without its desk row
    page = bare.test_client().get("/")
    assert page.status_code == 200
    assert "Ventana</title>" in page.text


class TestLanguage:
    def test_the_browser_s_language_counts(self, client: FlaskClient) -> None:
        page = client.get("/", headers={"Accept-Language": "en-GB,en;q=0.9,es;q=0.5"}).text
        assert '<html lang="en"' in page
        assert "Book a session" in page

    def test_an_unknown_language_gets_spanish(self, client: FlaskClient) -> None:
        assert '<html lang="es"' in client.get("/", headers={"Accept-Language": "ja"}).text

    def test_the_switch_is_remembered_and_wins(self, client: FlaskClient) -> None:
        answer = client.get("/conditions?a=1&lang=en&b=%C3%B1")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/conditions?a=1&b=%C3%B1"
        assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "es"}).text

    def test_a_language_we_do_not_speak_changes_nothing(self, client: FlaskClient) -> None:
        answer = client.get("/?lang=xx")
        assert answer.status_code == 303
        assert "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example"])
    def test_the_switch_never_leads_elsewhere(self, client: FlaskClient, path: str) -> None:
        answer = client.get(path + "?lang=en", base_url="http://localhost")
        assert not answer.headers.get("Location", "/").startswith("//")
        assert "http" not in answer.headers.get("Location", "/").replace("http://localhost/", "")


def test_the_theme_is_remembered(client: FlaskClient) -> None:
    assert "data-theme" not in client.get("/").text
    assert client.get("/?theme=dark").status_code == 303
    page = client.get("/").text
    assert 'data-theme="dark"' in page
    assert "?theme=light" in page
    assert "?theme=dark" not in page


class TestConditions:
    def test_they_say_what_the_rules_enforce(self, client: FlaskClient) -> None:
        page = client.get("/conditions").text
        assert "8 h de antelación" in page
        assert "30 días de soporte gratuito" in page
        assert "6000 €" in page.replace("\u00a0", " ").replace("6.000", "6000")
        assert "Acceso a Asterisk y Elastix" in page
        assert "escritorio remoto (RDP), VNC o acceso web" in page
        assert "TeamViewer" in page

    def test_changing_the_policy_changes_the_page(self, app: Flask, client: FlaskClient) -> None:
        from dataclasses import replace

        service = app.extensions["ventana"]
        changed = replace(service.installation.conditions, purchase_days=45, reseller_minimum_cents=123_456)
        service.installation = replace(service.installation, conditions=changed)
        page = client.get("/conditions?").text
        assert "45 días de soporte gratuito" in page
        assert "1234,56" in page.replace(".", "")


class TestHealth:
    def test_alive_and_ready(self, client: FlaskClient) -> None:
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/readyz").text == "ready\n"

    def test_not_ready_without_its_database(
        self, client: FlaskClient, sqlite_database: Database, tmp_path: Path
    ) -> None:
        sqlite_database.engine.dispose()
        for file in tmp_path.glob("ventana.db*"):
            file.unlink()
        (tmp_path / "ventana.db").mkdir()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.text.startswith("not ready: ")
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200, "the first page is shown even while the store is away"


class TestStaticFiles:
    def test_every_built_file_is_served_for_ever_and_compressed(self, client: FlaskClient) -> None:
        for name, hashed in json.loads((DIST / "manifest.json").read_text()).items():
            answer = client.get(f"/static/{hashed}", headers={"Accept-Encoding": "br"})
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert (answer.headers.get("Content-Encoding") == "br") == (not name.endswith(".woff2"))
            answer.close()

    def test_a_cold_page_stays_in_its_budget(self, client: FlaskClient) -> None:
        manifest = json.loads((DIST / "manifest.json").read_text())
        wire = {
            name: (DIST / (hashed if name.endswith(".woff2") else f"{hashed}.br")).stat().st_size
            for name, hashed in manifest.items()
        }
        assert wire["app.css"] <= 9 * 1024
        assert wire["app.js"] <= 18 * 1024
        page = len(client.get("/conditions").data)
        assert sum(wire.values()) + page <= 60 * 1024
        assert len(wire) + 1 <= 9

    def test_nothing_outside_dist_is_served(self, client: FlaskClient) -> None:
        for path in ("/static/../app.py", "/static/build.mjs", "/static/%2e%2e/app.py"):
            assert client.get(path).status_code == 404


class TestBigRequests:
    def test_two_megabytes_of_description_are_refused_and_read_away(self, client: FlaskClient) -> None:
        body = io.BytesIO(b"description=" + b"x" * 2_000_000)
        answer = client.post(
            "/sign-out",
            input_stream=body,
            headers={
                "Content-Length": str(len(body.getvalue())),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        assert answer.status_code == 413
        assert "Es demasiado largo" in answer.text
        assert "acorte el texto" in answer.text
        assert body.read() == b"", "an unread body would reset the connection before the answer is read"

    def test_the_limit_is_what_the_message_says(self) -> None:
        assert MAX_REQUEST_BYTES == 64 * 1024


class TestProxies:
    @pytest.mark.parametrize(("trusted", "seen"), [(0, "127.0.0.0/24"), (1, "203.0.113.0/24")])
    def test_forwarded_addresses_count_only_behind_configured_proxies(
        self, sqlite_database: Database, service: object, tmp_path: Path, trusted: int, seen: str
    ) -> None:
        from web.gatekeeping import client_network

        service.settings = Settings(folder=tmp_path, trusted_proxies=trusted)  # type: ignore[attr-defined]
        app = create_app(service)  # type: ignore[arg-type]
        app.add_url_rule("/network", view_func=client_network)
        answer = app.test_client().get("/network", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
        assert answer.text == seen


def test_the_clock_of_the_service_is_the_only_clock(app: Flask) -> None:
    from web.app import now

    with app.app_context():
        before = now()
        app.extensions["ventana"].clock.advance(timedelta(hours=1))
        assert now() - before == timedelta(hours=1)
