"""What is read out of a mail that answers an invitation, and what hostile ones cannot do."""

import time
from datetime import UTC, datetime

import pytest

from scheduler.replies.reading import LONGEST_MAIL, Reply, replies_in

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:REPLY
BEGIN:VEVENT
UID:a@levantia.example
DTSTAMP:20261124T091000Z
SEQUENCE:2
ATTENDEE;PARTSTAT=DECLINED:mailto:Pablo@Sol.example
END:VEVENT
END:VCALENDAR
"""
DECLINED = Reply(
    "a@levantia.example",
    "pablo@sol.example",
    "declined",
    2,
    datetime(2026, 11, 24, 9, 10, tzinfo=UTC),
    sender="pablo@sol.example",
)


def mail(calendar: str = EVENT, kind: str = 'text/calendar; method=REPLY; charset="utf-8"') -> bytes:
    head = f"From: Pablo <pablo@sol.example>\r\nContent-Type: {kind}\r\n\r\n"
    return (head + calendar.replace("\n", "\r\n")).encode()


@pytest.mark.parametrize("kind", ["text/calendar; method=REPLY", "application/ics", "TEXT/Calendar"])
def test_an_answer_is_read(kind: str) -> None:
    assert replies_in(mail(kind=kind)) == (DECLINED,)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("METHOD:REPLY", "METHOD:COUNTER"),
        ("METHOD:REPLY\n", ""),
        ("PARTSTAT=DECLINED", "PARTSTAT=NEEDS-ACTION"),
        (";PARTSTAT=DECLINED", ""),
        ("mailto:", "tel:"),
        ("20261124T091000Z", "20261124T091000"),
        ("20261124T091000Z", "20261399T091000Z"),
        ("UID:a@levantia.example\n", ""),
        ("SEQUENCE:2", "SEQUENCE:2\nATTENDEE;PARTSTAT=ACCEPTED:mailto:b@example.com"),
        ("SEQUENCE:2", "SEQUENCE:2\nUID:b@levantia.example"),
        ("SEQUENCE:2", "RECURRENCE-ID:20261124T091000Z"),
        ("BEGIN:VEVENT", "BEGIN:VTODO\nBEGIN:VEVENT"),
    ],
)
def test_what_is_no_answer_says_nothing(old: str, new: str) -> None:
    assert old in EVENT
    assert replies_in(mail(EVENT.replace(old, new))) == ()


def test_a_comment_is_one_cleaned_line() -> None:
    said = "COMMENT:No\\, " + "x" * 900 + "\\r\\nBcc: otro@example.com\\n\x1b[31m\u202emoc\u200f"
    (reply,) = replies_in(mail(EVENT.replace("SEQUENCE:2", said)))
    assert reply.comment.startswith("No, xxx")
    assert len(reply.comment) == 300
    (reply,) = replies_in(mail(EVENT.replace("SEQUENCE:2", "COMMENT:a\\nBcc: b\x1b\u202e\u200fc")))
    assert reply.comment == "a Bcc: bc"


@pytest.mark.parametrize("charset", ["klingon", "punycode", "zip", "utf-16", "iso-8859-1", '"'])
def test_a_wrong_charset_loses_letters_and_no_answer(charset: str) -> None:
    body = EVENT.replace("SEQUENCE:2", "SEQUENCE:2\nCOMMENT:mañana")
    (reply,) = replies_in(mail(body, f"text/calendar; charset={charset}"))
    assert (reply.answer, reply.comment[:2]) == ("declined", "ma")


def test_hostile_mails_are_passed_over_in_no_time() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(100)
    )
    hostile = [
        nested + mail(),
        nested + mail() + b"a\r\n" * 250_000,
        mail() + b"x" * LONGEST_MAIL,
        mail(EVENT.replace("SEQUENCE:2", "COMMENT:" + "x" * 100_000)),
        b"Content-Type: message/rfc822\r\n\r\n" + mail(),
        b"\xff\x00" * 1000 + b"text/calendar",
        b"",
    ]
    begun = time.process_time()
    assert [replies_in(each) for each in hostile] == [()] * len(hostile)
    assert time.process_time() - begun < 2


def test_the_same_answer_beside_and_as_a_file_is_one() -> None:
    part = mail()
    both = b"Content-Type: multipart/mixed; boundary=b\r\nFrom: pablo@sol.example\r\n\r\n"
    both += b"".join(b"--b\r\n" + part + b"\r\n" for _ in range(3)) + b"--b--\r\n"
    assert replies_in(both) == (DECLINED,)
