"""Support by mail, /book/mail: a question under the free support of a purchase, with a file, and what was asked."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.entitlements import rights
from scheduler.intake import mail_requests
from scheduler.intake.mail_requests import MailForm
from scheduler.rules.entitlement import Judgement
from scheduler.store.engines import read
from web.app import now
from web.customer.journey import ID
from web.customer.who import actor, customer_id
from web.i18n import gettext as _
from web.parts.asked import attempt
from web.parts.asked_by_mail import file_response, request_view
from web.parts.ledger import full_date
from web.parts.refusing import NOTHING, Shown
from web.security import customer_required
from web.words.refusals import reason_text

blueprint = Blueprint("mailing", __name__, url_prefix="/book/mail")


@blueprint.get("")
@customer_required
def form() -> ResponseReturnValue:
    """The form, and below it what was asked before."""
    return _page({})


@blueprint.post("")
@customer_required
def send() -> ResponseReturnValue:
    """Keep the question and mail it to the desk."""
    given = request.form
    typed = {name: given.get(name, "") for name in ("serial", "topic", "text", "invoice")}

    def verb(session: Session, desk: DeskContext) -> str:
        row = mail_requests.ask(session, desk, now(), actor(), MailForm(**typed, file=_file()))
        return url_for(".page", request_id=row.id, sent=1)

    return attempt(verb, lambda shown: _page(typed, shown))


@blueprint.get(f"/<{ID}:request_id>")
@customer_required
def page(request_id: int) -> ResponseReturnValue:
    """One's own question. Raises NotFound for another customer's."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = mail_requests.find(session, request_id, customer_id())
        return render_template(
            "customer/mail_request.html",
            it=request_view(service.desk(session), row),
            sent="sent" in request.args,
        )


@blueprint.get(f"/<{ID}:request_id>/file")
@customer_required
def file(request_id: int) -> ResponseReturnValue:
    """The file that was sent along. Raises NotFound."""
    with read(current_app.extensions["ventana"].sessions) as session:
        return file_response(mail_requests.find(session, request_id, customer_id()))


def _file() -> tuple[str, bytes] | None:
    """Name and content of the chosen file; browsers send a part without name when none was chosen."""
    sent = request.files.get("attachment")
    if sent is None or not sent.filename:
        return None
    with sent.stream:
        return sent.filename, sent.read()


def _page(typed: dict[str, str], shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        bought, over = _purchases(session, desk)
        asked = [request_view(desk, row) for row in mail_requests.listing(session, customer_id())]
        hours = any(each.allowed and each.facts.kind != "purchase" for each in _judged(session, desk))
    page = render_template(
        "customer/mail_form.html",
        bought=bought,
        over=over,
        asked=asked,
        hours=hours,
        typed=typed,
        conditions=desk.conditions,
        longest=mail_requests.LONGEST_TEXT,
        shown=shown,
    )
    return page, shown.status


def _judged(session: Session, desk: DeskContext) -> tuple[Judgement, ...]:
    shortest = min(desk.conditions.durations_minutes)
    return rights(session, desk, now(), customer_id(), shortest)


def _purchases(session: Session, desk: DeskContext) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """Purchases to choose from as serial and words, and those that cannot be used with every reason."""
    bought, over = [], []
    for each in rights(session, desk, now(), customer_id(), 0):
        serial = each.facts.serial or ""
        if each.facts.kind != "purchase":
            continue
        if each.only_topic_missing and each.last_on is not None:
            words = _("%(serial)s, until %(day)s", serial=serial, day=full_date(each.last_on))
            bought.append((serial, words))
            continue
        reasons = [reason_text(it.code, it.facts) for it in each.reasons if it.code != "topic_required"]
        over.append({"serial": serial, "reasons": reasons})
    return bought, over
