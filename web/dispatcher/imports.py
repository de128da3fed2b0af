"""Customers from a CSV file, /customers/import: upload, look at every row's fate, confirm.

A small file is planned and written while its page is asked for; a large one by the engine, and the page shows how far
it has come.
"""

import csv
import io
from itertools import islice
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.customers import previews
from scheduler.customers.import_runs import Importer
from scheduler.customers.importing import FATES, Planned
from scheduler.rules.refusals import InvalidInput
from scheduler.store.engines import read, write
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.ledger import csv_response, safe
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import ID, actor
from web.security import staff_required
from web.words.inputs import field_label, invalid_words

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
    sent = request.files.get("file")
    try:
        file = previews.Upload(sent.filename or "", sent.read()) if sent else previews.Upload("", b"")
    except InvalidInput as refusal:
        return _form(show([refusal]))
    small = file.total_rows <= previews.AT_ONCE
    with write(current_app.extensions["ventana"].sessions) as session:
        import_id = previews.keep(session, now(), actor(), file, engine=not small).id
    return _go_on(import_id, small)


@blueprint.get(f"/<{ID}:import_id>")
@staff_required("dispatcher")
def page(import_id: int) -> ResponseReturnValue:
    """How far it has come; then what the file does, counted, and its first rows that are not just as they were."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = previews.preview(session, import_id)
        shown = {"ready": ("new", "changed", "refused"), "done": ("refused", "conflict")}.get(row.state, ())
        wanted = sum(row.counts.get(fate, 0) for fate in shown)
        plan = previews.planned(session, import_id) if wanted else iter(())
        rows = [_said(each) for each in islice((p for p in plan if p.fate in shown), min(wanted, SHOWN_ROWS))]
    return render_template(
        "dispatcher/import.html",
        it=row,
        percent=100 * row.done_rows // row.total_rows,
        rows=rows,
        fates=_fates(row.state),
        more=wanted > SHOWN_ROWS and SHOWN_ROWS,
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
        previews.preview(session, import_id)
        for each in previews.planned(session, import_id):
            said = _said(each)
            cells = (each.line, each.cif, each.company, said["fate_word"], said["column"], said["why"])
            writer.writerow([safe(str(cell)) for cell in cells])
    return csv_response(text.getvalue(), "import.csv")


@blueprint.post(f"/<{ID}:import_id>/confirm")
@staff_required("dispatcher")
def confirm(import_id: int) -> ResponseReturnValue:
    """Write exactly what was shown; rows whose customer changed meanwhile are named instead."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        small = previews.preview(session, import_id).total_rows <= previews.AT_ONCE
    with write(service.sessions) as session:
        previews.confirm(session, service.desk(session), now(), actor(), import_id, engine=not small)
    return _go_on(import_id, small)


def _go_on(import_id: int, at_once: bool) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    if at_once:
        Importer(service.sessions, service.clock, service.installation).finish(import_id)
    return redirect(url_for(".page", import_id=import_id), 303)


def _fates(state: str = "done") -> dict[str, str]:
    """What rows become; conflicts come into being only at the writing."""
    words = {
        "new": _("new"),
        "changed": _("changed"),
        "unchanged": _("as it is"),
        "refused": _("refused"),
        "conflict": _("changed since the preview"),
    }
    return {fate: words[fate] for fate in FATES if fate != "conflict" or state in ("writing", "done")}


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
