"""The desk's hours and closed days: /desk/hours, with what would have to move before it is saved; /desk/to-move."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.context import DeskContext
from scheduler.rules.hours_text import WEEK, field_of, write_day
from scheduler.rules.refusals import ChangedMeanwhile, InvalidInput
from scheduler.store.engines import read, write
from scheduler.team import desk_hours
from scheduler.team.desk_hours import HoursForm
from scheduler.team.misplaced import misplaced, would_move
from web.app import now
from web.dispatcher.country_names import countries, regions
from web.dispatcher.to_move_view import move_lines
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import actor
from web.security import staff_required

blueprint = Blueprint("desk_hours", __name__, url_prefix="/desk")
SPARE_ROWS = 3
MOST_ROWS = desk_hours.MOST_OWN + SPARE_ROWS


@blueprint.get("/hours")
@staff_required("dispatcher")
def page() -> ResponseReturnValue:
    """The hours as they are."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        return _page(desk, _kept(desk), desk)


@blueprint.post("/hours")
@staff_required("dispatcher")
def propose() -> ResponseReturnValue:
    """Show what would have to move, or save: which of both says the button."""
    return _save() if request.form.get("step") == "save" else _preview()


@blueprint.get("/to-move")
@staff_required("dispatcher")
def to_move() -> ResponseReturnValue:
    """The sessions that stand where nobody attends any more."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        moves = move_lines(misplaced(session, service.desk(session), now()))
        return render_template("dispatcher/to_move.html", moves=moves)


def _preview() -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        try:
            wanted = desk_hours.proposed(desk, _form())
        except InvalidInput as refusal:
            return _page(desk, _typed(), desk, shown=show([refusal]))
        moves = move_lines(would_move(session, desk, wanted, now()))
        return _page(desk, _typed(), wanted, moves=moves)


def _save() -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            moves = desk_hours.save(session, desk, now(), actor(), _form(), request.form.get("seen", ""))
    except (InvalidInput, ChangedMeanwhile) as refusal:
        shown = show([refusal])
        with read(service.sessions) as session:
            desk = service.desk(session)
            return _page(desk, _typed(), desk, shown=shown)
    target = "dispatcher.desk_hours.to_move" if moves else "dispatcher.desk_hours.page"
    return redirect(url_for(target), 303)


def _page(
    desk: DeskContext,
    typed: dict[str, Any],
    wanted: DeskContext,
    moves: list[dict[str, Any]] | None = None,
    shown: Shown = NOTHING,
) -> ResponseReturnValue:
    year = desk.today(now()).year
    facts = {
        "typed": typed,
        "rows": typed["closed"] + [("", "")] * SPARE_ROWS,
        "seen": typed.get("seen") or desk_hours.mark(desk),
        "countries": countries(),
        "regions": regions(typed["country"]),
        "years": [(each, desk_hours.closed_days(wanted, each)) for each in (year, year + 1)],
        "moves": moves,
        "shown": shown,
    }
    return render_template("dispatcher/desk_hours.html", **facts), shown.status


def _kept(desk: DeskContext) -> dict[str, Any]:
    hours = {field_of(day): write_day(desk.weekly_hours.get(day, ())) for day in WEEK}
    return hours | {
        "country": desk.holiday_country,
        "region": desk.holiday_region or "",
        "closed": [tuple(each) for each in desk.own_holidays],
    }


def _typed() -> dict[str, Any]:
    form = _form()
    hours = {field_of(day): text for day, text in form.hours.items()}
    closed = [each for each in form.closed if any(each)]
    return hours | {
        "country": form.country,
        "region": form.region,
        "closed": closed,
        "seen": request.form.get("seen", ""),
    }


def _form() -> HoursForm:
    given = request.form
    closed = [
        (given.get(f"day_{n}", "").strip(), given.get(f"name_{n}", "").strip()) for n in range(MOST_ROWS)
    ]
    country = given.get("country", "")
    # Another country has other regions: the one that was chosen before means nothing there.
    region = given.get("region", "") if given.get("country_was", country) == country else ""
    return HoursForm({day: given.get(field_of(day), "") for day in WEEK}, country, region, closed)
