"""Signatures as standardwebhooks.com gives them in its own example, and what they depend on."""

from datetime import UTC, datetime

import pytest

from scheduler.rules.secret import Secret
from scheduler.webhooks.signing import PREFIX, new_secret, signed_headers

SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID, BODY, AT = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    b'{"test": 2432232314}',
    datetime.fromtimestamp(1614265330, UTC),
)


def test_the_published_example() -> None:
    headers = signed_headers(SECRET, ID, AT, BODY)
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "message_id", "at", "body"),
    [
        (new_secret(), ID, AT, BODY),
        (SECRET, ID + "x", AT, BODY),
        (SECRET, ID, AT.replace(second=11), BODY),
        (SECRET, ID, AT, BODY + b" "),
    ],
)
def test_it_depends_on_every_part(secret: Secret, message_id: str, at: datetime, body: bytes) -> None:
    mine = signed_headers(secret, message_id, at, body)["webhook-signature"]
    assert mine != signed_headers(SECRET, ID, AT, BODY)["webhook-signature"]


def test_secrets_differ_and_have_the_receivers_form() -> None:
    one, other = new_secret().reveal(), new_secret().reveal()
    assert one != other
    assert one.startswith(PREFIX)
