"""What is said about a field that cannot be taken: its name, what is wrong, how to put it right."""

from collections.abc import Callable, Mapping
from typing import Any

from web.i18n import gettext as _
from web.words import customers as customer_words
from web.words import team_inputs as team_input_words
from web.words import waiting as waiting_words

Facts = Mapping[str, Any]


def invalid_words(field: str, problem: str, facts: Facts) -> tuple[str, str, str]:
    """Title, text and remedy for InvalidInput; a problem without words of its own still names the field."""
    label = field_label(field)
    say = _PROBLEMS.get(problem, _cannot_be_read)
    text, remedy = say(facts)
    return _("%(field)s cannot be used", field=label), f"{label}: {text}", remedy


def field_label(field: str) -> str:
    """How people call a field; an unknown one keeps its own name."""
    return (_labels() | _calendar_labels() | customer_words.labels()).get(field, field)


def _calendar_labels() -> dict[str, str]:
    """The fields of calendar addresses."""
    return {
        "alarm": _("Reminder"),
        "detail": _("What the calendar tells"),
        "scope": _("Content of the calendar"),
    }


def _labels() -> dict[str, str]:
    """Field names in the reader's language, as they are at this request."""
    return {
        **_labels_of_accesses(),
        **team_input_words.labels(),
        **waiting_words.labels(),
        "events": _("Events"),
        "url": _("Address"),
        "cif": _("CIF"),
        "code": _("Code"),
        "company": _("Company"),
        "customer": _("Customer"),
        "day": _("Day"),
        "description": _("Description"),
        "device": _("Device"),
        "duration": _("Length"),
        "email": _("E-mail"),
        "entitlement": _("Support"),
        "ends_at": _("End"),
        "hours": _("Hours of attention"),
        "idempotency_key": "Idempotency-Key",
        "invoice": _("Invoice"),
        "label": _("Label"),
        "minutes": _("Minutes"),
        "minutes_used": _("Hours used"),
        "name": _("Name"),
        "note": _("Note"),
        "override_reason": _("Reason"),
        "phone": _("Telephone"),
        "reason": _("Reason"),
        "serial": _("Serial number"),
        "start": _("Time"),
        "starts_at": _("Start"),
        "technician": _("Technician"),
        "topic": _("Topic"),
        "zone": _("Time zone"),
    }


def _labels_of_accesses() -> dict[str, str]:
    return {
        "credential": _("Password or key"),
        "credential_kind": _("Kind of credential"),
        "host": _("Host"),
        "method": _("Access method"),
        "password": _("Password"),
        "pictures": _("Picture of the screen"),
        "platform": _("PBX"),
        "port": _("Port"),
        "profile": _("SSH profile"),
        "username": _("User"),
    }


def _cannot_be_read(_facts: Facts) -> tuple[str, str]:
    return _("we cannot read this value."), _("Check it and send it again.")


def _required(_facts: Facts) -> tuple[str, str]:
    return _("this is missing."), _("Fill it in.")


def _too_long(facts: Facts) -> tuple[str, str]:
    limit = facts.get("limit") or facts.get("maximum") or facts.get("max_length")
    if limit is None:
        return _("the text is too long."), _("Shorten it.")
    return _("the text is too long."), _("Shorten it to %(limit)s characters.", limit=limit)


def _too_short(facts: Facts) -> tuple[str, str]:
    least = facts.get("minimum") or facts.get("min_length")
    if least is None:
        return _("the text is too short."), _("Write more.")
    return _("the text is too short."), _("Write at least %(least)s characters.", least=least)


def _control_characters(_facts: Facts) -> tuple[str, str]:
    return (
        _("it holds invisible control characters or a line break."),
        _("Type it by hand instead of pasting it."),
    )


def _not_a_cif(facts: Facts) -> tuple[str, str]:
    return (
        _("this is not a valid CIF: its control character does not match."),
        _("Check letter and digits, as in %(example)s.", example=facts.get("example", "B12345674")),
    )


def _out_of_range(facts: Facts) -> tuple[str, str]:
    least, most = facts.get("minimum"), facts.get("maximum")
    if least is not None and most is not None:
        return _("the value is out of range."), _(
            "Give a number from %(least)s to %(most)s.", least=least, most=most
        )
    if least is not None:
        return _("the value is too small."), _("Give at least %(least)s.", least=least)
    return _("the value is out of range."), _("Check it and send it again.")


def _not_a_host(facts: Facts) -> tuple[str, str]:
    remedies = {
        "url": _("Leave out http:// and everything after the name: pbx.company.com."),
        "with_port": _("Leave out the port here; it has a field of its own."),
        "with_user": _("Leave out the user here; it has a field of its own."),
    }
    usual = _("Give a name such as pbx.company.com, or an address such as 203.0.113.20.")
    return _("this is not a host name or IP address."), remedies.get(facts.get("looks_like") or "", usual)


def _not_an_email(_facts: Facts) -> tuple[str, str]:
    return _("this is not an e-mail address."), _("Write it as in name@company.com.")


def _not_a_date(_facts: Facts) -> tuple[str, str]:
    return _("this is not a date."), _("Choose a day, or write it as in 2026-11-25.")


def _not_a_number(_facts: Facts) -> tuple[str, str]:
    return _("this is not a number."), _("Write digits only.")


def _not_offered(_facts: Facts) -> tuple[str, str]:
    return _("this cannot be chosen."), _("Choose one of the options on the page.")


def _passphrase(_facts: Facts) -> tuple[str, str]:
    return (
        _("the private key is protected by a passphrase, and nobody would be there to type it."),
        _("Give a key without passphrase made for us, or add our public key instead."),
    )


def _not_a_key(_facts: Facts) -> tuple[str, str]:
    return (
        _("this is not a private key that we can read."),
        _("Paste the whole file, from -----BEGIN to END-----."),
    )


def _public_key(_facts: Facts) -> tuple[str, str]:
    return (
        _("this is the public half of a key."),
        _("Paste the private half: the file without .pub."),
    )


def _putty_key(_facts: Facts) -> tuple[str, str]:
    return (
        _("this is a key in PuTTY's format."),
        _("Export it as an OpenSSH key in PuTTYgen (Conversions menu) and paste that."),
    )


def _quarter_hours(_facts: Facts) -> tuple[str, str]:
    return _("hours are counted in quarters, up to 24."), _("Write for example 0.75 or 1.5.")


def _too_many(facts: Facts) -> tuple[str, str]:
    return (
        _("there are as many as there may be (%(limit)s).", limit=facts.get("limit")),
        _("End one that is no longer used."),
    )


def _not_a_week(_facts: Facts) -> tuple[str, str]:
    return _("these are not weekly hours."), _("Give a list of times for each day of the week.")


def _not_a_time(_facts: Facts) -> tuple[str, str]:
    return _("one of the times cannot be read."), _("Write times as in 09:00, the end after the start.")


def _overlap(_facts: Facts) -> tuple[str, str]:
    return _("two of the ranges overlap."), _("Join them or move one.")


def _not_a_calendar_url(_facts: Facts) -> tuple[str, str]:
    return (
        _("this is not the address of a calendar."),
        _("Copy the whole private address in iCal format, as in https://calendar.company.com/marta.ics."),
    )


def _not_a_url(facts: Facts) -> tuple[str, str]:
    return (
        _("this is not an address that begins with https."),
        _("Write it whole, for example %(example)s.", example=facts.get("example", "")),
    )


def _with_login(_facts: Facts) -> tuple[str, str]:
    return (
        _("it holds a user and password."),
        _("Use the calendar's private address, which works without signing in."),
    )


def _too_many_calendars(facts: Facts) -> tuple[str, str]:
    return (
        _("there are %(maximum)s calendars already.", maximum=facts.get("maximum", 5)),
        _("Remove one first."),
    )


_PROBLEMS: Mapping[str, Callable[[Facts], tuple[str, str]]] = {
    **customer_words.PROBLEMS,
    **team_input_words.PROBLEMS,
    **waiting_words.PROBLEMS,
    "control_characters": _control_characters,
    "not_a_calendar_url": _not_a_calendar_url,
    "not_a_cif": _not_a_cif,
    "not_a_date": _not_a_date,
    "not_a_host": _not_a_host,
    "not_a_key": _not_a_key,
    "not_a_number": _not_a_number,
    "not_a_time": _not_a_time,
    "not_a_url": _not_a_url,
    "not_a_week": _not_a_week,
    "not_a_weekday": _not_a_week,
    "not_an_email": _not_an_email,
    "not_offered": _not_offered,
    "not_text": _cannot_be_read,
    "out_of_range": _out_of_range,
    "overlap": _overlap,
    "passphrase": _passphrase,
    "public_key": _public_key,
    "putty_key": _putty_key,
    "quarter_hours": _quarter_hours,
    "required": _required,
    "too_long": _too_long,
    "too_many": _too_many,
    "too_many_calendars": _too_many_calendars,
    "too_short": _too_short,
    "with_login": _with_login,
}
