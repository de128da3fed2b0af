"""Pages for everybody: the first page, the support conditions, and the two health addresses."""

from dataclasses import dataclass

from flask import Blueprint, current_app, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from scheduler.rules.conditions import Conditions
from scheduler.rules.lead_time import LeadTime
from scheduler.store.engines import check_settings, read, write
from scheduler.store.trouble import StoreUnusable
from web import i18n
from web.i18n import gettext as _
from web.security import current_person, first_page, sign_out

public = Blueprint("public", __name__)


@public.get("/")
def home() -> ResponseReturnValue:
    """People of the desk go to where their day begins; everybody else reads what this is."""
    person = current_person()
    if person is not None and person.staff:
        return redirect(first_page(person.actor.kind), 303)
    return render_template("public/home.html")


@public.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End this browser's session, whoever it is of."""
    with write(current_app.extensions["ventana"].sessions) as session:
        sign_out(session)
    return redirect("/", 303)


@public.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@public.get("/readyz")
def readyz() -> ResponseReturnValue:
    """The store answers, with the settings our promises rest on; 503 and the reason otherwise."""
    sessions = current_app.extensions["ventana"].sessions
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        with read(sessions) as session:
            session.execute(text("SELECT 1"))
            check_settings(session.get_bind().engine)
    except (SQLAlchemyError, StoreUnusable) as error:
        current_app.logger.warning("not ready: %s", error)
        return f"not ready: {type(error).__name__}\n", 503, plain
    return "ready\n", 200, plain


@public.get("/conditions")
def conditions() -> ResponseReturnValue:
    """The support conditions, made from the very object that the rules enforce."""
    enforced = current_app.extensions["ventana"].installation.conditions
    return render_template("public/conditions.html", conditions=enforced, rows=_rows(enforced))


@dataclass(frozen=True, slots=True)
class Row:
    """One condition: its number, what it is about, and its sentences."""

    number: str
    about: str
    sentences: tuple[str, ...]


def _rows(conditions: Conditions) -> list[Row]:
    return [
        Row("C1", _("Free support after a purchase"), _purchase(conditions)),
        Row("C2", _("Included in it"), tuple(_topics(conditions.topics_included))),
        Row("C3", _("Not included in it"), tuple(_topics(conditions.topics_excluded))),
        Row("C4", _("Hours and hour bundles"), _hours()),
        Row("C5", _("Maintenance contract"), _maintenance()),
        Row("C6", _("Warranty"), _warranty()),
        Row("C7", _("Resellers"), _reseller(conditions)),
        *_access_rows(conditions),
        Row("C10", _("Tools we do not use"), _tools(conditions)),
        Row("C11", _("Notice"), _notice(conditions)),
        Row("", _("Checks of the access"), _checks(conditions)),
        Row("", _("When nobody is there"), _no_show(conditions)),
        *([Row("", _("Approval"), _approval(conditions))] if conditions.approval.needed_for else []),
        Row("", _("Waiting list"), _waiting(conditions)),
    ]


def _topics(topics: tuple[object, ...]) -> list[str]:
    return [getattr(topic, i18n.language()) for topic in topics]


def _purchase(conditions: Conditions) -> tuple[str, ...]:
    return (
        _(
            "Buying equipment gives %(days)s days of free support by e-mail, counted from the day after the purchase.",
            days=conditions.purchase_days,
        ),
        _("We need its serial number and, if possible, the number of the invoice."),
    )


def _hours() -> tuple[str, ...]:
    return (
        _("For anything else, or after the free period, buy hours or a bundle from our sales department."),
        _("Then book with your company's name and CIF; your technician's times are offered first."),
    )


def _maintenance() -> tuple[str, ...]:
    return (_("With a yearly contract, book with your company's name and CIF; your technician attends you."),)


def _warranty() -> tuple[str, ...]:
    return (
        _(
            "Ask for a return with the RMA document; we verify the symptoms and rule out configuration and firmware."
        ),
        _("Ship the device once you have its RMA code."),
    )


def _reseller(conditions: Conditions) -> tuple[str, ...]:
    return (
        _(
            "Purchases above %(amount)s and a reseller contract give support by telephone on a number of its own.",
            amount=i18n.say_euros(conditions.reseller_minimum_cents),
        ),
    )


def _access_rows(conditions: Conditions) -> list[Row]:
    """C8 and C9: one row per set of methods, naming the PBXs that share it."""
    by_methods: dict[tuple[str, ...], list[str]] = {}
    for platform, methods in conditions.methods.items():
        by_methods.setdefault(methods, []).append(i18n.say_platform(platform))
    return [
        Row(
            f"C{number}",
            _("Access to %(platforms)s", platforms=i18n.say_list(platforms)),
            (
                _(
                    "You give us access by %(methods)s.",
                    methods=i18n.say_list(map(i18n.say_method, methods), "or"),
                ),
            ),
        )
        for number, (methods, platforms) in enumerate(by_methods.items(), 8)
    ]


def _tools(conditions: Conditions) -> tuple[str, ...]:
    return (
        _(
            "We do not connect through commercially licensed tools such as %(tools)s.",
            tools=i18n.say_list(conditions.tools_not_accepted[:4], "or"),
        ),
    )


def _notice(conditions: Conditions) -> tuple[str, ...]:
    """One sentence when all kinds of support ask for the same notice, else one for each."""
    leads = conditions.lead
    if len(set(leads.values())) == 1:
        return (
            _lead(next(iter(leads.values()))),
            _("So the work can be planned without moving other customers."),
        )
    return tuple(f"{kind_word(kind)}: {_lead(lead)}" for kind, lead in leads.items())


def kind_word(kind: str) -> str:
    """How people call a kind of support."""
    words = {
        "purchase": _("Free support"),
        "hours": _("Hour bundle"),
        "maintenance": _("Maintenance contract"),
        "reseller": _("Reseller support"),
    }
    return words.get(kind, kind)


def _lead(lead: LeadTime) -> str:
    length = i18n.say_duration(lead.minutes)
    if lead.counted == "attention":
        return _(
            "A session is booked at least %(length)s ahead, counted in support hours: "
            "nights and weekends do not count.",
            length=length,
        )
    return _("A session is booked at least %(length)s ahead.", length=length)


def _checks(conditions: Conditions) -> tuple[str, ...]:
    return (
        _(
            "We test the access when you book and again before the session, and write to you when it stops working."
        ),
        _(
            "You can move or cancel without cost until %(length)s before.",
            length=i18n.say_duration(conditions.cancel_free_until_minutes),
        ),
    )


def _no_show(conditions: Conditions) -> tuple[str, ...]:
    wait = _(
        "The technician waits %(length)s for you and for an access that works.",
        length=i18n.say_duration(conditions.no_show_grace_minutes),
    )
    costs = [kind_word(kind) for kind, policy in conditions.no_show.items() if policy == "consume"]
    if not costs:
        return wait, _("A session that you miss costs nothing.")
    return wait, _(
        "After that, a session that you miss uses up the hours set aside for it (%(kinds)s).",
        kinds=i18n.say_list(costs),
    )


def _waiting(conditions: Conditions) -> tuple[str, ...]:
    rules = conditions.waiting
    length = i18n.say_duration(rules.answer_minutes)
    kept = (
        _(
            "It is kept for you for %(length)s of support hours: nights and weekends do not count.",
            length=length,
        )
        if rules.counted == "attention"
        else _("It is kept for you for %(length)s.", length=length)
    )
    return (
        _(
            "Where no time is free, we offer by mail each slot that comes free, in the order in which you ask for it."
        ),
        kept,
        _(
            "You can wait for %(entries)s ranges at a time, of up to %(days)s days; "
            "after %(offers)s offers without an answer the wait ends.",
            entries=rules.entries_per_customer,
            days=rules.longest_days,
            offers=rules.unanswered_offers,
        ),
    )


def _approval(conditions: Conditions) -> tuple[str, ...]:
    """Only where the desk approves anything: elsewhere a booking is confirmed at once, as people expect."""
    rules = conditions.approval
    kinds = i18n.say_list(kind_word(kind) for kind in rules.needed_for)
    before = i18n.say_duration(rules.minutes_before)
    unanswered = (
        _("Where nobody has decided %(length)s before the start, the session is confirmed.", length=before)
        if rules.unanswered == "confirm"
        else _(
            "Where nobody has decided %(length)s before the start, the time is free again, at no cost, "
            "and we write to you.",
            length=before,
        )
    )
    return (
        _(
            "The desk approves each session before it is confirmed (%(kinds)s); the time is kept meanwhile.",
            kinds=kinds,
        ),
        unanswered,
    )
