"""The dispatcher's day in words: accesses that fail, how full the team is, rights that run out, what waits."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_date
from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler import undelivered
from scheduler.bookings import approving
from scheduler.checks import explaining
from scheduler.context import DeskContext, day_window
from scheduler.customers import claims
from scheduler.customers.running_out import RunningOut, running_out
from scheduler.rules.verdict import light
from scheduler.slots.availability import lead_ledger, offers
from scheduler.store.models import Booking, Check, Technician
from scheduler.team.misplaced import misplaced
from scheduler.team.workload import Load, active_technicians, workload
from scheduler.waiting.joining import count_waiting
from web import i18n
from web.i18n import gettext as _
from web.i18n import ngettext
from web.parts.mailto import mailto
from web.parts.slots import working_days
from web.public import kind_word

AHEAD = ("pending", "confirmed", "in_session")
MOST_FAILING = 20
STRIP = 20
HEAT_DAYS = 10


def failing_lines(session: Session, desk: DeskContext, at: datetime) -> list[dict[str, Any]]:
    """Sessions to come whose access fails or warns, by start: where it stops, and its last checks."""
    query = (
        select(Booking)
        .where(
            Booking.starts_at > at - timedelta(hours=24),
            Booking.ends_at > at,
            Booking.status.in_(AHEAD),
            Booking.verdict.in_(("not_ready", "at_risk")),
        )
        .order_by(Booking.starts_at, Booking.id)
        .limit(MOST_FAILING)
        .options(
            joinedload(Booking.customer), joinedload(Booking.access_point), joinedload(Booking.technician)
        )
    )
    return [_failing(session, desk, row) for row in session.scalars(query)]


def _failing(session: Session, desk: DeskContext, row: Booking) -> dict[str, Any]:
    checks = _last_checks(session, row.access_point_id)
    found = next((check for check in reversed(checks) if check.booking_id == row.id), None)
    label, why = _stopped(session, desk, found)
    return {
        "id": row.id,
        "state": light(row.verdict),
        "company": row.customer.company,
        "customer": url_for("dispatcher.customers.page", customer_id=row.customer_id),
        "line": f"{i18n.say_platform(row.system.platform)} · {row.access_point.method.upper()}",
        "when": i18n.say_short_moment(row.starts_at),
        "technician": row.technician.name,
        "url": url_for("technician.session.page", booking_id=row.id),
        "step": label,
        "why": why,
        "strip": [light(check.verdict) for check in checks],
        "spoken": _strip_words(checks),
        "test": url_for("technician.access.ask", booking_id=row.id)
        if explaining.checkable(row.access_point.method)
        else None,
        "write": _letter(session, desk, row, found),
    }


def _last_checks(session: Session, access_point_id: int) -> list[Check]:
    """The door's last finished checks, the oldest first."""
    query = (
        select(Check)
        .where(Check.access_point_id == access_point_id, Check.state == "done")
        .order_by(Check.finished_at.desc(), Check.id.desc())
        .limit(STRIP)
        .options(selectinload(Check.steps))
    )
    return list(session.scalars(query))[::-1]


def _stopped(session: Session, desk: DeskContext, check: Check | None) -> tuple[str, str]:
    """The step at which the check stopped and what was seen there."""
    if check is None:
        return _("Access"), _("the last test could not tell more")
    steps = explaining.explain(session, check, desk, i18n.language())
    step = next((each for each in steps if each.code is not None and each.code == check.code), None)
    return (step.label, step.evidence) if step else (_("Access"), check.code or "")


def _strip_words(checks: Sequence[Check]) -> str:
    bad = sum(light(check.verdict) == "fail" for check in checks)
    tests = ngettext("Last test", "Last %(num)s tests", len(checks))
    return f"{tests}: {ngettext('%(num)s without access', '%(num)s without access', bad)}"


def _letter(session: Session, desk: DeskContext, row: Booking, check: Check | None) -> str:
    """A mail to the customer's people in their language, with the one remedy, for the dispatcher to finish."""
    locale = row.customer.locale
    advice = explaining.remedy_of(session, check, desk, locale) if check is not None else None
    said = [f"{advice.title}. {advice.text}", advice.copyable] if advice is not None else []
    subject = {"es": "Acceso a {name}", "en": "Access to {name}"}.get(locale, "{name}")
    body = "\n\n".join(part for part in said if part)
    return mailto(subject.format(name=row.system.name), body, [each.email for each in row.customer.contacts])


def heat_view(session: Session, desk: DeskContext, at: datetime) -> dict[str, Any]:
    """Technicians by ten working days from Monday: hours booked, as a shade of how full the day is."""
    today = desk.today(at)
    monday = today - timedelta(days=today.weekday())
    days = working_days(monday, HEAT_DAYS, lambda day: bool(desk.weekly_hours.get(day.isoweekday())))
    people = active_technicians(session)
    loads = workload(session, desk, people, days) if people and days else {}
    week = [day for day in days if day < monday + timedelta(days=7)]
    return {
        "days": [_day(day, today) for day in days],
        "rows": [
            {
                "name": each.name,
                "url": url_for("technician.agenda.page", technician=each.id),
                "cells": [_cell(loads[each.id, day], day) for day in days],
                "booked": i18n.say_hours(sum(loads[each.id, day].booked for day in week)).removesuffix(" h"),
                "attended": i18n.say_hours(sum(loads[each.id, day].attended for day in week)),
            }
            for each in people
        ],
    }


def _day(day: date, today: date) -> dict[str, Any]:
    name = format_date(day, "EEEEE", locale=i18n.language())
    return {"name": name, "number": day.day, "whole": i18n.say_day(day), "today": day == today}


def _cell(load: Load, day: date) -> dict[str, Any]:
    away = load.attended == 0 and load.booked == 0
    hours = i18n.say_hours(load.booked)
    said = (
        _("does not attend")
        if away
        else _("%(booked)s of %(all)s", booked=hours, all=i18n.say_hours(load.attended))
    )
    return {
        "away": away,
        "level": min(4, -(-int(load.share * 100) // 25)),
        "hours": hours.removesuffix(" h"),
        "title": f"{i18n.say_day(day)}: {said}",
    }


def ending_lines(session: Session, desk: DeskContext, at: datetime) -> list[dict[str, Any]]:
    """Rights about to run out, with what is left as words and as a bar."""
    today = desk.today(at)
    return [
        _ending(each, today, desk.conditions.low_balance_minutes) for each in running_out(session, desk, at)
    ]


def _ending(each: RunningOut, today: date, few: int) -> dict[str, Any]:
    right, days = each.right, each.days_left(today)
    if each.few_hours or days is None:
        left, value, most = i18n.say_hours(right.balance_minutes), right.balance_minutes, few
    else:
        left, value, most = ngettext("%(num)s day", "%(num)s days", days), days, 14
    return {
        "company": right.customer.company,
        "url": url_for("dispatcher.customers.page", customer_id=right.customer_id),
        "line": f"{right.customer.cif} · {kind_word(right.kind)}",
        "left": left,
        "value": value,
        "most": most,
        "low": value * 4 <= most,
    }


def waiting_lines(session: Session, desk: DeskContext, at: datetime) -> list[dict[str, Any]]:
    """What waits for the dispatcher, each with its number and its page; what is nothing is not listed."""
    found = [
        (_("To approve"), approving.count_pending(session), "dispatcher.approvals.listing", "circle-check"),
        (
            _("Sessions to move"),
            len(misplaced(session, desk, at)),
            "dispatcher.desk_hours.to_move",
            "calendar-x",
        ),
        (_("Requests to be let in"), claims.count_open(session), "dispatcher.claims.listing", "building-2"),
        (_("Waiting for a slot"), count_waiting(session), "dispatcher.waiting.listing", "hourglass"),
        (_("Mails given up"), undelivered.count_dead(session), "dispatcher.sending.page", "mail"),
    ]
    return [
        {"text": text, "number": number, "url": url_for(endpoint), "icon": icon}
        for text, number, endpoint, icon in found
        if number
    ]


def next_free(session: Session, desk: DeskContext, at: datetime) -> datetime | None:
    """The first time that anybody of the team could take, with the notice that hours ask for."""
    people: Sequence[Technician] = active_technicians(session)
    earliest = lead_ledger(desk, "hours", at).earliest_at
    length = timedelta(minutes=desk.conditions.durations_minutes[0])
    found = offers(session, desk, at, people, length, day_window(desk, desk.today(earliest), 7), earliest)
    return found[0].slot.start if found else None
