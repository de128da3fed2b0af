"""Customers from a CSV file, /customers/import: upload, look at every row's fate, confirm."""

import csv
import io
from itertools import islice
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import previews
from scheduler.customers.importing import Planned
from scheduler.store.engines import read, write
from web import i18n
from web.app import now
from web.dispatcher.asked import attempt
from web.i18n import gettext as _
from web.input_words import field_label, invalid_words
from web.parts.ledger import csv_response, safe
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("imports", __name__, url_prefix="/customers/import")
SHOWN_ROWS = 200


@blueprint.get("")
@staff_required("dispatcher")
def ask() -> ResponseReturnValue:
    """Which file."""
    return _form()


@blueprint.post("")
@staff_required("dispatcher")
def upload() -> ResponseReturnValue:
    """Keep the file and show what it would do."""
    file = request.files.get("file")
    content, name = (file.read(), file.filename or "") if file else (b"", "")

    def verb(session: Session, desk: DeskContext) -> str:
        row = previews.upload(session, desk, now(), actor(), name, content)
        return url_for(".page", import_id=row.id)

    return attempt(verb, _form)


@blueprint.get(f"/<{ID}:import_id>")
@staff_required("dispatcher")
def page(import_id: int) -> ResponseReturnValue:
    """What the file does, counted, and its first rows that are not just as they were."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = previews.preview(session, import_id)
        rows: list[dict[str, Any]] = []
        if row.state == "ready":
            plan = previews.planned(session, service.desk(session), row)
            changes = (each for each in plan if each.fate != "unchanged")
            rows = [_said(each) for each in islice(changes, SHOWN_ROWS)]
        return render_template(
            "dispatcher/import.html",
            it=row,
            rows=rows,
            fates=_fates(),
            more=len(rows) == SHOWN_ROWS and SHOWN_ROWS,
        )


@blueprint.get(f"/<{ID}:import_id>/rows.csv")
@staff_required("dispatcher")
def download(import_id: int) -> ResponseReturnValue:
    """Every row's fate as a file."""
    service = current_app.extensions["ventana"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if i18n.language() == "es" else ",")
    writer.writerow([_("Line"), _("CIF"), _("Company"), _("What becomes of it"), _("Column"), _("Why")])
    with read(service.sessions) as session:
        row = previews.preview(session, import_id)
        for each in previews.planned(session, service.desk(session), row):
            said = _said(each)
            cells = (each.line, each.cif, each.company, said["fate_word"], said["column"], said["why"])
            writer.writerow([safe(str(cell)) for cell in cells])
    return csv_response(text.getvalue(), "import.csv")


@blueprint.post(f"/<{ID}:import_id>/confirm")
@staff_required("dispatcher")
def confirm(import_id: int) -> ResponseReturnValue:
    """Write exactly what was shown, or show anew what has changed meanwhile."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        previews.confirm(session, service.desk(session), now(), actor(), import_id)
    return redirect(url_for(".page", import_id=import_id), 303)


def _fates() -> dict[str, str]:
    return {"new": _("new"), "changed": _("changed"), "unchanged": _("as it is"), "refused": _("refused")}


def _said(row: Planned) -> dict[str, Any]:
    """One row for people: what becomes of it, and which column or why."""
    column, why = "", ""
    if row.problem is not None:
        field = row.problem.field or ""
        _title, text, remedy = invalid_words(field, row.problem.problem, row.problem.facts)
        column, why = field_label(field), f"{text} {remedy}"
    elif row.fate == "changed":
        names = [field_label(name.removesuffix("_id")) for name in row.values]
        if row.contact:
            names.append(_("Contact") if row.contact_id else _("New contact"))
        column = ", ".join(names)
    return {
        "line": row.line,
        "cif": row.cif,
        "company": row.company,
        "fate": row.fate,
        "fate_word": _fates()[row.fate],
        "column": column,
        "why": why,
    }


def _form(shown: Shown = NOTHING) -> ResponseReturnValue:
    return render_template("dispatcher/import_form.html", shown=shown), shown.status
