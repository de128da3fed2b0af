"""A return under warranty as customer and dispatcher see it: its state in words, its way, its document."""

from datetime import datetime
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from scheduler.customers.keeping import customer
from scheduler.intake.rma import last_step, printable
from scheduler.rules.returns import STEPS
from scheduler.store.models import Rma
from web import i18n
from web.i18n import gettext as _


def state_word(state: str) -> str:
    """How people call where a return stands."""
    words = {
        "requested": _("requested"),
        "document_sent": _("document sent"),
        "verified": _("symptoms verified"),
        "resolved_remotely": _("solved remotely"),
        "code_issued": _("code issued"),
        "received": _("device received"),
        "rejected": _("rejected"),
        "closed": _("closed"),
    }
    return words[state]


def return_view(session: Session, row: Rma) -> dict[str, Any]:
    """What templates say of it."""
    owner = customer(session, row.customer_id)
    return {
        "id": row.id,
        "company": owner.company,
        "cif": owner.cif,
        "customer_id": row.customer_id,
        "serial": row.serial,
        "invoice": row.invoice,
        "symptoms": row.symptoms,
        "name": row.facts["name"],
        "email": row.facts["email"],
        "state": last_step(row),
        "word": state_word(last_step(row)),
        "code": row.code,
        "at": i18n.say_short_moment(row.created_at),
        "steps": [_step(each) for each in row.facts["steps"]],
        "next": [(step, state_word(step)) for step in STEPS[row.state]],
        "printable": printable(row),
    }


def document(view: dict[str, Any], back: str) -> str:
    """The request document as a page to print."""
    return render_template("rma_document.html", it=view, back=back)


def _step(entry: dict[str, Any]) -> dict[str, str]:
    moment = i18n.say_short_moment(datetime.fromisoformat(entry["at"]))
    return {"word": state_word(entry["step"]), "at": moment, "note": entry["note"]}
