"""A check put before the customer: what it means, its steps, and the one thing to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from scheduler.checks import explaining
from scheduler.context import DeskContext
from scheduler.rules.conditions import Conditions
from scheduler.rules.verdict import BEFORE_START, light
from scheduler.store.models import AccessPoint, Check
from web import i18n
from web.i18n import gettext as _
from web.parts.mailto import mailto
from web.parts.screens import screen_view

STATES = {"run": "running", "wait": "waiting", "skip": "skipped"}
"""The services' short names for what the macros call by whole words."""
FIRST_SEEN = ("hostkey_unknown", "cert_unverified")
CHANGED = ("hostkey_changed", "cert_changed")
HOST_KEY_CODES = (*FIRST_SEEN, *CHANGED)
"""Codes of a server that nobody has said is theirs, and of one that is not the one they said."""
CREDENTIAL_CODES = frozenset(
    {
        "auth_failed",
        "auth_method_not_offered",
        "credential_unusable",
        "key_unsupported",
        "password_expired",
        "account_nologin",
        "rdp_bad_credentials",
        "rdp_account_locked",
        "rdp_account_disabled",
        "rdp_account_expired",
        "rdp_password_expired",
        "rdp_password_must_change",
        "vnc_bad_credentials",
        "vnc_credential_missing",
        "login_failed",
        "panel_credential_missing",
    }
)
"""Codes after which another credential may be the quicker way."""
CONFIRM_FORM = "confirm-host-key"
"""The form that the confirm button belongs to; it stands once on the page, since steps arrive one by one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a check is asked, watched and repaired: addresses, and the kind of support whose policy applies."""

    ask: str
    confirm: str
    here: str
    edit: str | None
    events: Callable[[int], str]
    kind: str | None
    picture: Callable[[int], str] | None = None
    """Address of the picture that a check took; without it none is spoken of."""
    shows_picture: bool = True
    """False where the reader must sign in first to be shown it."""


def check_view(
    session: Session, desk: DeskContext, check: Check | None, point: AccessPoint, place: Place, locale: str
) -> dict[str, Any]:
    """What the `check_list` macro draws, and the label of the button that asks for a test."""
    possible = explaining.checkable(point.method)
    running = check is not None and check.state in ("planned", "running")
    state, text, more = _verdict(check, possible, desk.conditions, place.kind)
    views = explaining.explain(session, check, desk, locale) if check is not None and possible else ()
    return {
        "state": state,
        "text": text,
        "more": more,
        "picture": _picture(session, check, point, place),
        "steps": [_step(view, check, place, desk) for view in views],
        "stream": place.events(check.id) if check is not None and running else None,
        "here": place.here,
        "possible": possible,
        "ask": place.ask,
        "confirm": place.confirm,
        "label": _("Test again") if check is not None else _("Test the access now"),
    }


def _picture(
    session: Session, check: Check | None, point: AccessPoint, place: Place
) -> dict[str, Any] | None:
    if check is None or place.picture is None:
        return None
    return screen_view(session, check, point, place.picture, shown=place.shows_picture)


def _verdict(
    check: Check | None, possible: bool, conditions: Conditions, kind: str | None
) -> tuple[str, str, str]:
    if not possible:
        return (
            "waiting",
            _("We cannot test this kind of access by ourselves yet."),
            _("You can book all the same: the technician tries it when the session begins."),
        )
    if check is None:
        return (
            "waiting",
            _("Not tested yet."),
            _("The test only signs in and asks for the version: it changes nothing."),
        )
    if check.state in ("planned", "running"):
        return "running", _("Testing from our network."), _("It takes a few seconds.")
    return _done(check, conditions, kind)


def _done(check: Check, conditions: Conditions, kind: str | None) -> tuple[str, str, str]:
    state = light(check.verdict)
    if state == "ok":
        return (
            state,
            _("We can get in."),
            _("We test again %(times)s before and tell you if anything changes.", times=_times(conditions)),
        )
    if state == "fail":
        return state, _("We cannot get in yet."), _fail_more(conditions, kind)
    if state == "warn" and check.code in FIRST_SEEN:
        return (
            state,
            _("It only remains to confirm that the server is yours."),
            _("Compare its fingerprint and tell us."),
        )
    if state == "warn":
        return state, _("We can get in, with a warning."), _("You can book; have a look at what is marked.")
    return (
        state,
        _("We could not tell."),
        _(
            "Something got in the way that says nothing about your PBX. Test again in a moment; "
            "you can book all the same."
        ),
    )


def _fail_more(conditions: Conditions, kind: str | None) -> str:
    if kind is not None and conditions.red_light.get(kind) == "release":
        return _(
            "You can book now; put it right before the session, or the hour is released %(length)s before, at no cost.",
            length=i18n.say_duration(conditions.release_minutes_before),
        )
    return _("You can book now; put it right before the session, so that none of its time is lost.")


def _times(conditions: Conditions) -> str:
    lengths = [
        i18n.say_duration(int(before.total_seconds() // 60))
        for stage, before in BEFORE_START.items()
        if stage in conditions.check_stages
    ]
    return i18n.say_list(lengths)


def _step(view: explaining.StepView, check: Check | None, place: Place, desk: DeskContext) -> dict[str, Any]:
    return {
        "name": view.name,
        "state": STATES.get(view.state, view.state),
        "label": view.label,
        "evidence": view.evidence,
        "ms": view.ms,
        "code": view.code,
        "fix": _fix(view, check, place, desk) if view.remedy is not None else None,
    }


def _fix(
    view: explaining.StepView, check: Check | None, place: Place, desk: DeskContext
) -> dict[str, Any] | None:
    if view.remedy is None:
        return None
    if view.code in HOST_KEY_CODES:
        return _identity_fix(view, view.remedy, check)
    said = f"{view.remedy.title}. {view.remedy.text}"
    body = "\n\n".join(part for part in (said, view.remedy.copyable) if part)
    more = None
    if view.code in CREDENTIAL_CODES and place.edit:
        more = Markup('{} <a href="{}">{}</a>.').format(
            _("Or give us another way to sign in:"), place.edit, _("change the credential")
        )
    return {
        "text": said,
        "command": view.remedy.copyable,
        "command_label": view.label,
        "more": more,
        "mail": mailto(_("Access for %(desk)s", desk=desk.name), body) if view.state == "fail" else None,
    }


def _identity_fix(
    view: explaining.StepView, advice: explaining.Remedy, check: Check | None
) -> dict[str, Any]:
    facts = _facts(view.name, check)
    fingerprint = str(facts.get("fingerprint", ""))
    label = _("We changed the server: the new one is mine") if view.code in CHANGED else _("It is mine")
    button = Markup('<button class="button small" form="{}" name="fingerprint" value="{}">{}</button>')
    return {
        "text": _identity_text(view.code, advice, str(facts.get("expected", "?"))),
        "command": fingerprint,
        "command_label": view.label,
        "more": button.format(CONFIRM_FORM, fingerprint, label),
        "mail": None,
    }


def _identity_text(code: str | None, advice: explaining.Remedy, expected: str) -> str:
    if code in CHANGED:
        return _(
            "This is not the server you confirmed (%(expected)s). If you reinstalled or replaced it, confirm the "
            "new one. If not, do not: call us, somebody may be posing as your server. We have sent it nothing.",
            expected=expected,
        )
    if code == "hostkey_unknown":
        return _(
            "We see this server for the first time. Compare its fingerprint with the one the server shows "
            "(ssh-keygen -lf of its public host key) and confirm that it is yours."
        )
    return f"{advice.title}. {advice.text}"


def _facts(step: str, check: Check | None) -> Mapping[str, Any]:
    steps = check.steps if check is not None else []
    return next((each.facts for each in steps if each.name == step), {})
