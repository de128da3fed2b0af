"""The agenda as its page draws it: sessions of some days with their lights, off-hours, and the present moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from scheduler.calendars.words import short_customer
from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.rules.verdict import light
from scheduler.slots.attendance import LONGEST_BOOKING, technician_open
from scheduler.store.models import Booking, Check, Technician
from web import i18n
from web.i18n import gettext as _
from web.i18n import ngettext
from web.parts.answers import declined_words
from web.technician import grid
from web.technician.check_words import latest_done, short_reason
from web.technician.look import LIGHTS, Look

AHEAD = ("pending", "confirmed", "in_session")
OVER = ("done", "no_show")


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose agenda is looked at, how, when, and on which clock."""

    session: Session
    desk: DeskContext
    technician: Technician
    look: Look
    at: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The reader's calendar day."""
        return self.at.astimezone(self.zone).date()

    @property
    def window(self) -> Interval:
        """The instants of the days looked at."""
        return grid.day_interval(self.look.first, self.zone, self.look.length)


def sessions_in(scene: Scene) -> list[Booking]:
    """The technician's sessions that touch the window, by start; what was cancelled is not among them."""
    window = scene.window
    query = (
        select(Booking)
        .where(
            Booking.technician_id == scene.technician.id,
            # An index range on the start; what started earlier than a day before is over.
            Booking.starts_at > window.start - LONGEST_BOOKING,
            Booking.starts_at < window.end,
            Booking.ends_at > window.start,
            Booking.status.in_(AHEAD + OVER),
        )
        .order_by(Booking.starts_at, Booking.id)
        .options(joinedload(Booking.customer), joinedload(Booking.system), joinedload(Booking.access_point))
    )
    return list(scene.session.scalars(query))


def agenda_view(scene: Scene) -> dict[str, Any]:
    """Everything over and in the grid: headline, counters, days."""
    rows = sessions_in(scene)
    ahead = [row for row in rows if is_ahead(row, scene.at)]
    chosen = scene.look.light
    shown = [row for row in ahead if light(row.verdict) == chosen] if chosen else rows
    checks = latest_done(scene.session, [row.id for row in shown if row.verdict in ("not_ready", "at_risk")])
    declined = declined_words(scene.session, [row for row in shown if is_ahead(row, scene.at)])
    opens = technician_open(scene.session, scene.desk, scene.technician, scene.window)
    days = _days(scene, rows, opens)
    spans = {
        day: _spans(day, scene.zone, [Interval(row.starts_at, row.ends_at) for row in shown]) for day in days
    }
    open_spans = {day: [span for _, span in _spans(day, scene.zone, opens)] for day in days}
    frame = grid.frame_over(
        [span for day in days for span in open_spans[day]],
        [span for day in days for _, span in spans[day]],
        grid.minute_of(scene.at, scene.zone) if scene.today in days else None,
    )
    return {
        "title": _title(scene, days),
        "about": _about(scene, rows),
        "counters": _counters(scene, ahead),
        "hours": frame.hours,
        "days": [
            _day(scene, frame, day, open_spans[day], [(shown[n], s) for n, s in spans[day]], checks, declined)
            for day in days
        ],
        "empty": not shown,
    }


def is_ahead(row: Booking, at: datetime) -> bool:
    """A session still to come or under way; only of these the light matters."""
    return row.status in AHEAD and row.ends_at > at


def event_state(row: Booking, at: datetime) -> str:
    """The light of a session to come; done once it is over, whatever its light was."""
    return light(row.verdict) if is_ahead(row, at) else "done"


def door_line(row: Booking) -> str:
    """PBX and way in: Asterisk · SSH."""
    return f"{i18n.say_platform(row.system.platform)} · {row.access_point.method.upper()}"


def _days(scene: Scene, rows: Sequence[Booking], opens: Sequence[Interval]) -> list[date]:
    spans = [*opens, *(Interval(row.starts_at, row.ends_at) for row in rows)]
    busy = {
        day.astimezone(scene.zone).date()
        for span in spans
        for day in (span.start, span.end - timedelta(microseconds=1))
    }
    return scene.look.shown(sorted(busy), scene.today)


def _spans(day: date, zone: ZoneInfo, intervals: Sequence[Interval]) -> list[tuple[int, grid.Span]]:
    """The parts that fall on the day, each with the place of its interval in the sequence."""
    found = ((number, grid.span_on(day, zone, interval)) for number, interval in enumerate(intervals))
    return [(number, span) for number, span in found if span is not None]


def _day(
    scene: Scene,
    frame: grid.Frame,
    day: date,
    opens: Sequence[grid.Span],
    sessions: Sequence[tuple[Booking, grid.Span]],
    checks: dict[int, Check],
    declined: dict[int, str],
) -> dict[str, Any]:
    lanes = grid.lanes([span for _, span in sessions])
    return {
        "key": day.isoformat(),
        "name": format_date(day, "EEE", locale=i18n.language()).replace(".", ""),
        # Two weeks may cross into the next month; a week's headline names it.
        "number": day.day if scene.look.view == "week" else format_date(day, "d MMM", locale=i18n.language()),
        "today": day == scene.today,
        "lanes": max(lanes, default=1),
        "off": [{"row": row, "span": span} for row, span in grid.gaps(frame, opens)],
        "now": _now_line(scene, frame) if day == scene.today else None,
        "events": [
            _event(scene, row, frame.place(span), lane, checks.get(row.id))
            | {"declined": declined.get(row.id)}
            for (row, span), lane in zip(sessions, lanes, strict=True)
        ],
    }


def _event(scene: Scene, row: Booking, place: grid.Span, lane: int, check: Check | None) -> dict[str, Any]:
    return {
        "state": event_state(row, scene.at),
        "url": url_for("technician.session.page", booking_id=row.id),
        "starts_at": row.starts_at,
        "time": i18n.say_time(row.starts_at, scene.zone),
        "end": i18n.say_time(row.ends_at, scene.zone),
        "title": short_customer(row.customer.company),
        "line": door_line(row),
        "why": short_reason(scene.session, scene.desk, check),
        "row": place[0],
        "span": place[1],
        "lane": lane,
    }


def _now_line(scene: Scene, frame: grid.Frame) -> dict[str, Any] | None:
    minute = grid.minute_of(scene.at, scene.zone)
    if not frame.first <= minute < frame.last:
        return None
    row, _rows = frame.place((minute, minute))
    return {"row": row, "after": minute % grid.QUARTER // 5 * 5, "text": i18n.say_time(scene.at, scene.zone)}


def _counters(scene: Scene, ahead: Sequence[Booking]) -> list[dict[str, Any]]:
    """One filter for each light; the chosen one leads back to all."""
    states: list[str] = [light(row.verdict) for row in ahead]
    chosen = scene.look.light
    return [
        {
            "state": state,
            "number": states.count(state),
            "url": scene.look.url(light=None if state == chosen else state),
            "chosen": state == chosen,
        }
        for state in LIGHTS
    ]


def _title(scene: Scene, days: Sequence[date]) -> str:
    if scene.look.view == "day":
        return i18n.say_day(days[0])
    return i18n.say_days(days[0], days[-1])


def _about(scene: Scene, rows: Sequence[Booking]) -> str:
    minutes = sum(int((row.ends_at - row.starts_at) / timedelta(minutes=1)) for row in rows)
    counted = ngettext("%(num)s session", "%(num)s sessions", len(rows))
    parts = [f"{counted}, {i18n.say_hours(minutes)}" if rows else _("no sessions")]
    if scene.look.view == "week":
        parts.append(_("week %(number)s", number=scene.look.first.isocalendar().week))
    return " · ".join(parts)
