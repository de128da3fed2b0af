"""The address of a technician's calendar as people paste it. Syntax only: whether it may be dialled is judged there."""

from urllib.parse import quote, urlsplit

from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_host, clean_text

FIELD = "calendar_url"
LONGEST = 2000
SCHEMES = {"http": "http", "https": "https", "webcal": "https", "webcals": "https"}
"""webcal is how calendar programs say "subscribe to this"; today that is https."""


def clean_address(typed: str) -> str:
    """The http or https address to read.

    Raises InvalidInput("calendar_url"): required, too_long, control_characters, not_a_calendar_url, with_login, or
    not_a_host.
    """
    text = clean_text(FIELD, typed, LONGEST, required=True)
    try:
        parts = urlsplit(text)
        host, port, login = parts.hostname, parts.port, parts.username
    except ValueError:
        raise InvalidInput(FIELD, "not_a_calendar_url") from None
    scheme = SCHEMES.get(parts.scheme.lower())
    if scheme is None or not host:
        raise InvalidInput(FIELD, "not_a_calendar_url")
    if login is not None:
        raise InvalidInput(FIELD, "with_login")
    plain = clean_host(FIELD, host)
    where = f"[{plain}]" if ":" in plain else plain
    if port is not None:
        where += f":{port}"
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return f"{scheme}://{where}{quote(target, safe='%/?&=+,:;@!$()*~-._' + chr(39))}"
