import ast
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from scheduler.rules import refusals as r
from web import errors
from web.words import inputs as input_words
from web.words import refusals as refusal_words

WEDNESDAY = datetime(2026, 11, 25, 9, 10, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def all_refusals(base: type[r.Refusal] = r.Refusal) -> Iterator[type[r.Refusal]]:
    for kind in base.__subclasses__():
        if "code" in vars(kind) and kind.__module__.startswith(("scheduler", "probes")):
            yield kind
        yield from all_refusals(kind)


def ledger() -> Any:
    days = (
        SimpleNamespace(day=date(2026, 11, 24), minutes=410),
        SimpleNamespace(day=date(2026, 11, 25), minutes=70),
    )
    return SimpleNamespace(earliest_at=WEDNESDAY, days=days)


def reason(code: str, **facts: Any) -> Any:
    return SimpleNamespace(code=code, facts=facts)


EXAMPLES: list[r.Refusal] = [
    r.InvalidInput("port", "out_of_range", minimum=1, maximum=65535),
    r.LeadTimeTooShort(WEDNESDAY, ledger()),
    r.SlotTaken([WEDNESDAY, WEDNESDAY + timedelta(hours=1)]),
    r.OutsideHours([]),
    r.TechnicianBusy([WEDNESDAY]),
    r.OffGrid(30, [WEDNESDAY]),
    r.InThePast(WEDNESDAY),
    r.BeyondHorizon(date(2027, 1, 23)),
    r.DurationNotOffered([30, 60, 90]),
    r.NonexistentTime(wall=datetime(2027, 3, 28, 2, 30), zone="Europe/Madrid", next_at=WEDNESDAY),
    r.AmbiguousTime([WEDNESDAY, WEDNESDAY], wall=datetime(2026, 10, 25, 2, 30), zone="Europe/Madrid"),
    r.NotEntitled([reason("expired", valid_until=date(2026, 11, 1)), reason("serial_missing")]),
    r.HoursExhausted(60, 30),
    r.TopicExcluded("network"),
    r.TopicRequired(["install"]),
    r.MethodNotAccepted("asterisk", "rdp", ["ssh"]),
    r.ToolNotAccepted("TeamViewer", "host", ["rdp", "vnc", "web"]),
    r.HostKeyNotConfirmed("SHA256:abc"),
    r.TransitionNotAllowed("done", "cancel", []),
    r.StaleRevision(4),
    r.UndoExpired(WEDNESDAY),
    r.TooEarly(WEDNESDAY),
    r.HoldExpired([WEDNESDAY]),
    r.RangeHasFreeTimes([WEDNESDAY]),
    r.OfferClosed("expired"),
    r.IdempotencyConflict(),
    r.ChangedMeanwhile("technician"),
    r.TechnicianHasBookings(2),
    r.LastDispatcher(),
    r.NotFound("booking"),
    r.NotAllowed("dispatcher"),
    r.SignInFailed(),
    r.TooManyTries(WEDNESDAY),
    r.UnknownFeed(),
    r.RevokedFeed(),
]


def test_no_refusal_is_missing_from_the_table() -> None:
    assert set(all_refusals()) - set(refusal_words.TABLE) == set()


def test_every_refusal_of_the_table_has_an_example_here() -> None:
    assert {type(example) for example in EXAMPLES} == set(refusal_words.TABLE)


@pytest.mark.parametrize("locale", ["es", "en"])
@pytest.mark.parametrize("refusal", EXAMPLES, ids=lambda refusal: refusal.code)
def test_each_is_said_with_what_to_do(app: Flask, refusal: r.Refusal, locale: str) -> None:
    with app.test_request_context(headers={"Cookie": f"lang={locale}"}):
        said = errors.message(refusal)
    for words in (said.title, said.text, said.remedy):
        assert words
        assert "%(" not in words
        assert words[0].isupper() or words[0] == "¿"
    assert said.remedy.endswith((".", "?"))
    assert said.field == refusal.field


def test_the_two_languages_differ(app: Flask) -> None:
    for refusal in EXAMPLES:
        said = []
        for locale in ("es", "en"):
            with app.test_request_context(headers={"Cookie": f"lang={locale}"}):
                said.append(errors.message(refusal))
        assert said[0].title != said[1].title, refusal.code
        assert said[0].text != said[1].text, refusal.code


def test_dates_are_said_as_people_say_them(app: Flask) -> None:
    with app.test_request_context():
        assert errors.message(r.LeadTimeTooShort(WEDNESDAY, ledger())) == errors.Message(
            "Es demasiado pronto",
            "Pedimos 8 h de antelación, para preparar la sesión sin mover las de otras personas.",
            "Puede reservar desde el miércoles 25 de noviembre, 10:10.",
            "start",
        )
        taken = errors.message(r.SlotTaken([WEDNESDAY, WEDNESDAY + timedelta(days=1)]))
        assert taken.remedy == "Horas libres más cercanas: mié 25 nov, 10:10; jue 26 nov, 10:10."
        tool = errors.message(r.ToolNotAccepted("TeamViewer", "host", ["rdp", "vnc"]))
        assert tool.remedy == "Denos acceso por escritorio remoto (RDP) o VNC."


def test_an_unknown_field_or_problem_still_gets_words(app: Flask) -> None:
    with app.test_request_context():
        said = errors.message(r.InvalidInput("colour", "not_a_colour"))
    assert said.text == "colour: no entendemos este valor."


def test_every_problem_that_the_services_raise_has_words_of_its_own() -> None:
    raised = set(_literal_arguments(("InvalidInput",), place=1, where=("scheduler",)))
    assert raised - set(input_words._PROBLEMS) == set()


def test_every_field_that_the_services_blame_has_a_name(app: Flask) -> None:
    blamed = set(
        _literal_arguments(("InvalidInput", "clean_text", "clean_host"), place=0, where=("scheduler",))
    )
    with app.test_request_context(headers={"Cookie": "lang=es"}):
        assert {field for field in blamed if input_words.field_label(field) == field} == set()


def _literal_arguments(calls: tuple[str, ...], place: int, where: tuple[str, ...]) -> Iterator[str]:
    for folder in where:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or len(node.args) <= place:
                    continue
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                argument = node.args[place]
                if name in calls and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


@pytest.fixture
def refusing(app: Flask) -> Flask:
    """Pages that are refused or break."""

    @app.get("/taken")
    @app.get("/api/v1/taken", endpoint="api_taken")
    def taken() -> str:
        raise r.SlotTaken([WEDNESDAY])

    @app.get("/api/v1/limit")
    def limit() -> str:
        raise r.TooManyTries(WEDNESDAY)

    @app.get("/api/v1/who")
    def who() -> str:
        raise r.SignInFailed

    @app.get("/broken")
    @app.get("/api/v1/broken", endpoint="api_broken")
    def broken() -> str:
        raise ZeroDivisionError("a secret detail")

    @app.get("/gone")
    def gone() -> str:
        abort(410)

    app.testing = False
    return app


class TestPages:
    def test_a_refusal_that_no_view_catches_is_a_page(self, refusing: Flask, client: FlaskClient) -> None:
        answer = client.get("/taken")
        assert answer.status_code == 409
        assert "<h1>Esa hora se acaba de ocupar</h1>" in answer.text
        assert "mié 25 nov, 10:10" in answer.text

    def test_htmx_gets_a_part_and_not_a_page_in_a_page(self, refusing: Flask, client: FlaskClient) -> None:
        answer = client.get("/taken", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert answer.status_code == 409
        assert "<html" not in answer.text
        assert 'role="alert"' in answer.text

    def test_a_refusal_leaves_a_log_line(
        self, refusing: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "web.errors"):
            client.get("/taken")
        assert "refused GET /taken: slot_taken" in caplog.text

    @pytest.mark.parametrize(
        ("path", "status", "title"),
        [("/nothing", 404, "Aquí no hay nada"), ("/gone", 410, "Este enlace ha terminado")],
    )
    def test_missing_pages_say_what_to_do(
        self, refusing: Flask, client: FlaskClient, path: str, status: int, title: str
    ) -> None:
        answer = client.get(path)
        assert answer.status_code == status
        assert f"<h1>{title}</h1>" in answer.text
        assert "primera página" in answer.text

    def test_a_wrong_method_names_the_right_ones(self, client: FlaskClient) -> None:
        answer = client.get("/sign-out")
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]

    def test_what_breaks_is_logged_and_not_shown(
        self, refusing: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = client.get("/broken")
        assert answer.status_code == 500
        assert "Algo ha fallado por nuestra parte" in answer.text
        assert "secret detail" not in answer.text
        assert "Traceback" not in answer.text
        assert "ZeroDivisionError: a secret detail" in caplog.text
        reference = caplog.records[-1].getMessage().rsplit(" ", 1)[-1]
        assert f"como {reference}." in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")

    def test_the_page_of_a_broken_store_does_not_ask_the_store(
        self, refusing: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise RuntimeError("the store is away")

        monkeypatch.setattr("web.app._read_desk", away)
        client.set_cookie("ventana_session", "x" * 43)
        answer = client.get("/")
        assert answer.status_code == 500
        assert "Algo ha fallado por nuestra parte" in answer.text


class TestProblemDocuments:
    def test_programs_get_code_field_and_facts(self, refusing: Flask, client: FlaskClient) -> None:
        answer = client.get("/api/v1/taken", headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
        assert answer.get_json(force=True) == {
            "type": "urn:ventana:problem:slot_taken",
            "title": "That time has just been taken",
            "status": 409,
            "detail": "Somebody else booked it while you were choosing. "
            "Nearest free times: Wed 25 Nov, 10:10.",
            "code": "slot_taken",
            "field": "start",
            "facts": {"alternatives": ["2026-11-25T09:10:00Z"]},
        }

    def test_a_limit_says_when_to_come_back(self, refusing: Flask, client: FlaskClient) -> None:
        answer = client.get("/api/v1/limit")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(24 * 3600))

    def test_an_unknown_token_is_told_the_scheme(self, refusing: Flask, client: FlaskClient) -> None:
        answer = client.get("/api/v1/who")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="ventana"')

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [("/api/v1/nothing", 404, "not_found"), ("/api/v1/broken", 500, "internal_server_error")],
    )
    def test_programs_get_no_pages(
        self, refusing: Flask, client: FlaskClient, path: str, status: int, code: str
    ) -> None:
        answer = client.get(path)
        assert answer.status_code == status
        document = answer.get_json(force=True)
        assert document["code"] == code
        assert "secret detail" not in answer.text


@pytest.mark.parametrize(
    ("language", "title"),
    [("es", "Nuestra base de datos no responde"), ("en", "Our database does not answer")],
)
def test_an_absent_database_is_said_without_a_traceback(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture, language: str, title: str
) -> None:
    def away() -> str:
        raise OperationalError("SELECT 1", {}, Exception("connection refused\nsecond line"))

    app.add_url_rule("/away", view_func=away)
    app.add_url_rule("/api/v1/away", endpoint="away_api", view_func=away)
    answer = client.get("/away", headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert title in answer.text
    problem = client.get("/api/v1/away")
    assert (problem.status_code, problem.json["code"]) == (503, "service_unavailable")  # type: ignore[index]
    assert "connection refused" in caplog.text
    assert "second line" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]
