"""Support by mail at the browser and at the mail server: who may ask, what arrives, and who sees it."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from scheduler.mailing.outbox import Outbox
from scheduler.store.engines import read, write
from scheduler.store.models import Entitlement, MailRequest, Notice
from tests.services.mail_server import MailServer
from web.app import FILE_ROUTES

Submit = Callable[..., TestResponse]
QUESTION = {"serial": "SN-77", "topic": "dial", "text": "Marca, suena\ny cuelga con SIP 403."}


@pytest.fixture
def bought(sol: Any, service: Any) -> int:
    """Clínica Sol bought a gateway two weeks ago."""
    return purchase(service, sol.customer, "SN-77", date(2026, 11, 10))


def purchase(service: Any, customer: int, serial: str, bought_on: date) -> int:
    with write(service.sessions) as session:
        row = Entitlement(
            customer_id=customer,
            kind="purchase",
            metered=False,
            serial=serial,
            bought_on=bought_on,
            valid_from=bought_on,
            created_at=service.clock(),
        )
        session.add(row)
        session.flush()
        return row.id


def kept(service: Any) -> list[MailRequest]:
    with read(service.sessions) as session:
        return list(session.scalars(select(MailRequest)))


def attached(name: str, content: bytes) -> Any:
    return (io.BytesIO(content), name)


def test_a_question_becomes_a_record_and_a_mail_with_the_file(
    sol: Any, bought: int, service: Any, submit: Submit
) -> None:
    content = b"[general]\r\n" + bytes(range(256)) * 400  # more than a form without file may hold
    answer = submit(
        sol.browser,
        "/book/mail",
        **QUESTION,
        invoice="F-118",
        attachment=attached("../pbx/año.pdf", content),
    )
    (row,) = kept(service)
    assert answer.location == f"/book/mail/{row.id}?sent=1"
    page = sol.browser.get(answer.location).text
    assert "año.pdf" in page
    assert "pablo@clinica-sol.example" in page
    with MailServer() as server:
        settings = service.settings.model_copy(
            update={"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        )
        Outbox(service.sessions, service.clock, settings).run(row.notice_id or 0, 0)
        (mail,) = server.mails
    assert server.recipients == ["soporte@levantia.example"]
    assert mail["Reply-To"].addresses[0].addr_spec == "pablo@clinica-sol.example"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("año.pdf", "application/pdf")
    assert file.get_payload(decode=True) == content
    plain = mail.get_body(("plain",))
    assert plain is not None
    body = plain.get_content()
    for said in ("SN-77", "F-118", "El comando Dial", "y cuelga con SIP 403."):
        assert said in body
    with read(service.sessions) as session:
        back = session.scalars(select(Notice).where(Notice.kind == "mail_request_received")).one()
    assert back.to_address == "pablo@clinica-sol.example"


def test_without_a_file_there_is_none(sol: Any, bought: int, service: Any, submit: Submit) -> None:
    submit(sol.browser, "/book/mail", **QUESTION, attachment=attached("", b""))
    (row,) = kept(service)
    assert (row.file_name, row.file_bytes) == (None, 0)
    assert sol.browser.get(f"/book/mail/{row.id}/file").status_code == 404


@pytest.mark.parametrize("topic", ["dialplan", "operating_system", "network"])
def test_an_excluded_topic_is_refused_with_reason_and_way_on(
    sol: Any, bought: int, service: Any, submit: Submit, topic: str
) -> None:
    answer = submit(sol.browser, "/book/mail", **QUESTION | {"topic": topic})
    assert answer.status_code == 422
    assert 'data-refused="topic_excluded"' in answer.text
    assert "ese tema no forma parte" in answer.text
    assert "bono de horas" in answer.text
    assert "SIP 403" in answer.text, "what was typed is not lost"
    assert kept(service) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"topic": ""}, "topic_required"),
        ({"topic": "nonsense"}, "topic_required"),
        ({"text": " "}, "invalid_input:required"),
        ({"text": "corto"}, "invalid_input:too_short"),
        ({"text": "x" * 4001}, "invalid_input:too_long"),
        ({"text": "un \u202e texto raro"}, "invalid_input:control_characters"),
        ({"serial": "SN-78"}, "invalid_input:unknown_purchase"),
        ({"serial": "ñ"}, "invalid_input:not_a_serial"),
        ({"invoice": "x" * 81}, "invalid_input:too_long"),
    ],
)
def test_what_cannot_be_taken_is_said_and_not_written(
    sol: Any, bought: int, service: Any, submit: Submit, changed: dict[str, str], code: str
) -> None:
    answer = submit(sol.browser, "/book/mail", **QUESTION | changed)
    assert answer.status_code == 422
    assert f'data-refused="{code}"' in answer.text
    assert kept(service) == []


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("log.txt", b"", "file_without_content", "está vacío"),
        ("a\u202etxt.exe", b"x", "file_name", "Cambie el nombre"),
        ("log.txt", bytes(10 * 1024**2 + 1), "file_over_limit", "10 MB"),
    ],
)
def test_bad_files_are_said_at_their_field(
    sol: Any, bought: int, service: Any, submit: Submit, name: str, content: bytes, code: str, said: str
) -> None:
    answer = submit(sol.browser, "/book/mail", **QUESTION, attachment=attached(name, content))
    assert answer.status_code == 422
    assert f'data-refused="invalid_input:{code}"' in answer.text
    assert said in answer.text
    assert 'id="attachment-error"' in answer.text
    assert kept(service) == []


def test_a_name_with_a_line_break_never_reaches_a_header(
    sol: Any, bought: int, service: Any, csrf_of: Callable[[str], str]
) -> None:
    token = csrf_of(sol.browser.get("/book/mail").text)
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in {**QUESTION, "csrf_token": token}.items()
    ]
    parts.append(
        "Content-Disposition: form-data; name=\"attachment\"; filename*=UTF-8''a%0D%0ABcc%3A%20x@y.txt\r\n\r\nhi"
    )
    body = "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n"
    answer = sol.browser.post(
        "/book/mail", data=body.encode(), content_type="multipart/form-data; boundary=B"
    )
    assert answer.status_code == 422
    assert 'data-refused="invalid_input:file_name"' in answer.text
    assert kept(service) == []


def test_more_than_a_request_may_hold_is_a_page_that_says_so(sol: Any, bought: int, submit: Submit) -> None:
    big = bytes(FILE_ROUTES["customer.mailing.send"])
    answer = submit(sol.browser, "/book/mail", **QUESTION, attachment=attached("a.bin", big))
    assert answer.status_code == 413
    assert "10 MB" in answer.text


def test_nobody_sends_files_without_signing_in(app: Flask, people: Any, submit: Submit) -> None:
    answer = submit(app.test_client(), "/book/mail", attachment=attached("a.bin", bytes(200_000)))
    assert answer.status_code == 413, "the larger request is for those whose page it is"


@pytest.mark.parametrize(("day", "status"), [(25, 303), (24, 403)])
def test_only_within_the_thirty_days(sol: Any, service: Any, submit: Submit, day: int, status: int) -> None:
    """Bought on 25 October: 24 November is the thirtieth day and counts; a day earlier it has ended."""
    purchase(service, sol.customer, "SN-77", date(2026, 10, day))
    answer = submit(sol.browser, "/book/mail", **QUESTION)
    assert answer.status_code == status
    if status == 403:
        assert 'data-refused="not_entitled"' in answer.text
        assert "Terminó el lunes 23 de noviembre" in answer.text
        assert "/book/entitlement" in answer.text, "the bundle they have is the way on"


def test_without_free_support_the_page_says_whom_to_ask(stranger: FlaskClient) -> None:
    page = stranger.get("/book/mail").text
    assert "tel:960000000" in page
    assert "/book/unknown" in page
    assert "<textarea" not in page


def test_customers_are_walls_to_each_other(
    sol: Any, bought: int, service: Any, submit: Submit, stranger: FlaskClient
) -> None:
    submit(sol.browser, "/book/mail", **QUESTION, attachment=attached("log.txt", b"secret"))
    (row,) = kept(service)
    for path in (f"/book/mail/{row.id}", f"/book/mail/{row.id}/file", "/book/mail/999"):
        assert stranger.get(path).status_code == 404
    assert "SN-77" not in stranger.get("/book/mail").text
    other = submit(stranger, "/book/mail", **QUESTION)
    assert 'data-refused="invalid_input:unknown_purchase"' in other.text


def test_the_dispatcher_reads_it_takes_the_file_and_marks_it(
    sol: Any, bought: int, service: Any, submit: Submit, elena: FlaskClient
) -> None:
    submit(
        sol.browser, "/book/mail", **QUESTION, attachment=attached("<b>página.html", b"<script>1</script>")
    )
    (row,) = kept(service)
    assert "1 consulta por correo" in elena.get("/customers").text
    assert "Clínica Sol" in elena.get("/requests").text
    page = elena.get(f"/requests/{row.id}").text
    assert "y cuelga con SIP 403." in page
    file = elena.get(f"/requests/{row.id}/file")
    assert file.data == b"<script>1</script>"
    assert file.mimetype == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert submit(elena, f"/requests/{row.id}/answered").location == "/requests"
    assert "respondida" in sol.browser.get("/book/mail").text
    assert "consulta por correo</a>" not in elena.get("/customers").text


def test_the_eleventh_question_of_an_hour_waits(sol: Any, bought: int, service: Any, submit: Submit) -> None:
    for _ in range(10):
        assert submit(sol.browser, "/book/mail", **QUESTION).status_code == 303
    answer = submit(sol.browser, "/book/mail", **QUESTION)
    assert answer.status_code == 429
    assert len(kept(service)) == 10
