"""The audit log, /audit: who did what, when and to what; filtered, downloaded, and its chain verified."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.context import DeskContext
from scheduler.customers.granting import clean_day
from scheduler.customers.ledger import people
from scheduler.rules.refusals import InvalidInput
from scheduler.store.engines import read
from scheduler.store.models import AuditEntry
from web import i18n
from web.i18n import gettext as _
from web.parts.ledger import csv_response, safe
from web.parts.refusing import NOTHING, show
from web.parts.staff import number
from web.security import current_zone, staff_required

blueprint = Blueprint("log", __name__)
PAGE = 100
MOST_ROWS = 100_000
"""Entries in one download: more are parted by their days."""


@blueprint.get("/audit")
@staff_required("dispatcher")
def page() -> ResponseReturnValue:
    """The newest entries that match, a hundred on a page; ?check=1 verifies the whole chain."""
    service = current_app.extensions["ventana"]
    shown, rows = NOTHING, []
    with read(service.sessions) as session:
        desk = service.desk(session)
        try:
            query = _filtered(desk).limit(PAGE + 1)
            before = number(request.args.get("before"))
            rows = list(session.scalars(query.where(AuditEntry.id < before) if before else query))
        except InvalidInput as refusal:
            shown = show([refusal])
        names = people(session, {row.actor for row in rows})
        facts = {
            "entries": [_said(row, names) for row in rows[:PAGE]],
            "more": rows[PAGE - 1].id if len(rows) > PAGE else None,
            "chain": _chain(session, desk) if "check" in request.args else None,
        }
        page = render_template("dispatcher/audit.html", typed=request.args, shown=shown, **facts)
    return page, shown.status


@blueprint.get("/audit.csv")
@staff_required("dispatcher")
def download() -> ResponseReturnValue:
    """All entries that match, as a file. Raises InvalidInput for a day that is none."""
    service = current_app.extensions["ventana"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if i18n.language() == "es" else ",")
    writer.writerow(["id", _("When"), _("By"), _("What"), _("About"), _("Facts")])
    with read(service.sessions) as session:
        for row in session.scalars(_filtered(service.desk(session)).limit(MOST_ROWS)):
            cells = (row.id, row.at.isoformat(), row.actor, row.action, row.subject, _facts(row))
            writer.writerow([safe(str(cell)) for cell in cells])
    return csv_response(text.getvalue(), "audit.csv")


def _filtered(desk: DeskContext) -> Select[AuditEntry]:
    """The entries that the address asks for, the newest first; days are those of the desk."""
    given, query = request.args, select(AuditEntry).order_by(AuditEntry.id.desc())
    for name, column in (
        ("who", AuditEntry.actor),
        ("what", AuditEntry.action),
        ("about", AuditEntry.subject),
    ):
        word = given.get(name, "").strip()[:100]
        if word:
            query = query.where(column.contains(word, autoescape=True))
    first, last = clean_day("from", given.get("from", "")), clean_day("until", given.get("until", ""))
    if first:
        query = query.where(AuditEntry.at >= datetime.combine(first, datetime.min.time(), desk.zone))
    if last:
        end = datetime.combine(last + timedelta(days=1), datetime.min.time(), desk.zone)
        query = query.where(AuditEntry.at < end)
    return query


def _chain(session: Session, desk: DeskContext) -> dict[str, Any]:
    """Whether every entry follows from the one before, and until which one that holds."""
    broken = audit.first_broken(session, desk.installation.keys.audit)
    whole = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)
    last = session.scalars(whole.where(AuditEntry.id < broken) if broken else whole).first()
    until = i18n.say_moment(last.at, current_zone()) if last else None
    return {"broken": broken, "last": last.id if last else None, "until": until}


def _said(row: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "when": i18n.say_short_moment(row.at),
        "who": names.get(row.actor, row.actor),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "facts": _facts(row),
    }


def _facts(row: AuditEntry) -> str:
    return "; ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in row.facts.items())
