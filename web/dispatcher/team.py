"""The desk's people: /team/technicians, where a dispatcher adds, changes and sets them aside."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext, hours_of
from scheduler.rules.hours_text import WEEK, field_of, write_day
from scheduler.store.engines import read
from scheduler.store.models import BusyCalendar, Technician
from scheduler.team import absences, passwords, people
from scheduler.team.misplaced import misplaced
from web.app import now
from web.dispatcher.choices import LANGUAGES, zones
from web.dispatcher.to_move_view import absence_words, coming_lines, move_lines
from web.i18n import gettext as _
from web.i18n import say_platform
from web.parts.asked import attempt
from web.parts.busy_card import busy_card
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("team", __name__, url_prefix="/team/technicians")
Typed = dict[str, Any]


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """Everybody of the desk, the active ones first, with what needs a look."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        rows = session.scalars(select(Technician).order_by(Technician.active.desc(), Technician.name)).all()
        troubled = set(
            session.scalars(select(BusyCalendar.technician_id).where(BusyCalendar.problem.is_not(None)))
        )
        moves = misplaced(session, service.desk(session), now())
        counts = {row.id: sum(each.booking.technician_id == row.id for each in moves) for row in rows}
        away = {row.id: absences.absences_of(session, row.id, now())[:1] for row in rows}
        return render_template(
            "dispatcher/technicians.html",
            rows=rows,
            troubled=troubled,
            moves=counts,
            away=away,
            say=say_platform,
            absence_words=absence_words,
        )


@blueprint.get("/new")
@staff_required("dispatcher")
def new() -> ResponseReturnValue:
    """The empty form."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        zone = service.desk(session).zone.key
    typed = {
        "role": "technician",
        "locale": "es",
        "zone": zone,
        "skills": people.PLATFORMS,
        "buffer_minutes": "0",
    }
    return _new(typed)


@blueprint.post("/new")
@staff_required("dispatcher")
def add() -> ResponseReturnValue:
    """One more person; they get a link to set their password."""

    def verb(session: Session, desk: DeskContext) -> str:
        row = people.add_technician(session, desk, now(), actor(), _form())
        passwords.send_link(session, desk, now(), actor(), row.id)
        return page_of(row.id)

    return attempt(verb, lambda shown: _new(_typed(), shown))


@blueprint.get(f"/<{ID}:technician_id>")
@staff_required("dispatcher")
def page(technician_id: int) -> ResponseReturnValue:
    """Everything about one person."""
    return show_page(technician_id)


@blueprint.post(f"/<{ID}:technician_id>")
@staff_required("dispatcher")
def change(technician_id: int) -> ResponseReturnValue:
    """Keep what was changed."""

    def verb(session: Session, desk: DeskContext) -> str:
        seen = request.form.get("seen", "")
        people.change_technician(session, desk, now(), actor(), technician_id, _form(), seen)
        return page_of(technician_id)

    return attempt(verb, lambda shown: show_page(technician_id, shown, _typed()))


@blueprint.post(f"/<{ID}:technician_id>/active")
@staff_required("dispatcher")
def activate(technician_id: int) -> ResponseReturnValue:
    """Set aside, or back."""

    def verb(session: Session, desk: DeskContext) -> str:
        wanted = request.form.get("active") == "yes"
        people.set_active(session, desk, now(), actor(), technician_id, wanted)
        return page_of(technician_id)

    return attempt(verb, lambda shown: show_page(technician_id, shown))


@blueprint.post(f"/<{ID}:technician_id>/delete")
@staff_required("dispatcher")
def delete(technician_id: int) -> ResponseReturnValue:
    """Forget somebody who never had a session."""

    def verb(session: Session, desk: DeskContext) -> str:
        people.delete_technician(session, desk, now(), actor(), technician_id)
        return url_for("dispatcher.team.listing")

    return attempt(verb, lambda shown: show_page(technician_id, shown))


@blueprint.post(f"/<{ID}:technician_id>/password")
@staff_required("dispatcher")
def send_password_link(technician_id: int) -> ResponseReturnValue:
    """Mail a link to set a password."""

    def verb(session: Session, desk: DeskContext) -> str:
        passwords.send_link(session, desk, now(), actor(), technician_id)
        return page_of(technician_id) + "?sent=yes"

    return attempt(verb, lambda shown: show_page(technician_id, shown))


def page_of(technician_id: int) -> str:
    """The address of a person's page."""
    return url_for("dispatcher.team.page", technician_id=technician_id)


def show_page(technician_id: int, shown: Shown = NOTHING, typed: Typed | None = None) -> ResponseReturnValue:
    """The person's page, with what was typed and refused."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk, row = service.desk(session), people.person(session, actor(), technician_id)
        facts = {
            "row": row,
            "typed": typed or _kept(row),
            "seen": (typed or {}).get("seen") or people.mark(row),
            "shown": shown,
            "absences": absences.absences_of(session, row.id, now()),
            "absence": request.form if "first_on" in request.form else {},
            "calendars": busy_card(session, row.id, now()),
            "moves": move_lines(misplaced(session, desk, now(), row.id)),
            "coming": coming_lines(session, row.id, now()),
            "absence_words": absence_words,
            "sent": request.args.get("sent") == "yes",
            **_choices(desk, row.zone),
        }
        return render_template("dispatcher/technician.html", **facts), shown.status


def _new(typed: Typed, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        choices = _choices(service.desk(session), typed.get("zone"))
        page = render_template("dispatcher/technician_new.html", typed=typed, shown=shown, seen="", **choices)
    return page, shown.status


def _choices(desk: DeskContext, zone: str | None) -> dict[str, Any]:
    return {
        "roles": [("technician", _("Technician")), ("dispatcher", _("Dispatcher"))],
        "languages": LANGUAGES,
        "zones": zones(zone),
        "platforms": [(platform, say_platform(platform)) for platform in people.PLATFORMS],
        "desk_hours": {day: write_day(desk.weekly_hours.get(day, ())) for day in WEEK},
    }


def _kept(row: Technician) -> Typed:
    week = hours_of(row.weekly_hours or {})
    fields = ("name", "email", "role", "locale", "zone", "skills", "buffer_minutes")
    return {name: getattr(row, name) for name in fields} | {
        field_of(day): write_day(week.get(day, ())) for day in WEEK
    }


def _typed() -> Typed:
    return {**request.form.to_dict(), "skills": request.form.getlist("skills")}


def _form() -> people.TechnicianForm:
    form = request.form
    names = ("name", "email", "role", "locale", "zone", "buffer_minutes")
    return people.TechnicianForm(
        **{name: form.get(name, "") for name in names},
        skills=form.getlist("skills"),
        hours={day: form.get(field_of(day), "") for day in WEEK},
    )
