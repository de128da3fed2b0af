"""Where the link under each reminder leads, /reminders/<token>.

Looking changes nothing, since mail scanners follow every link; a button does, or the mail program's own (RFC 8058).
The token is the proof: nobody needs to sign in to be left in peace, and no cookie is looked at.
"""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.mailing.unsubscribing import contact_of, set_reminders
from scheduler.store.engines import read, write
from web.app import now

reminders = Blueprint("reminders", __name__, url_prefix="/reminders")


@reminders.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Who gets reminders where, and the button. Raises NotFound."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        contact = contact_of(session, service.installation, token)
        return render_template("public/reminders.html", contact=contact, token=token)


@reminders.post("/<token>")
def change(token: str) -> ResponseReturnValue:
    """End them, or take them up again with wanted=1. Raises NotFound."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        contact = contact_of(session, service.installation, token)
        wanted = request.form.get("wanted") == "1"
        set_reminders(session, service.desk(session), now(), contact, wanted)
        return render_template("public/reminders.html", contact=contact, token=token)
