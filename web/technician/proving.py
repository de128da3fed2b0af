"""Who is signed in types their password again, before what a borrowed screen must not do."""

from flask import current_app, request

from scheduler.identity import people
from scheduler.rules.refusals import SignInFailed
from scheduler.store.engines import write
from web.app import now
from web.gatekeeping import client_network
from web.i18n import gettext as _
from web.parts.refusing import Shown, plain
from web.security import current_person
from web.technician.door import PASSWORD_LENGTH


def proved(field: str) -> bool:
    """Whether the form's field holds this person's password; each try counts as one of signing in.

    Raises TooManyTries.
    """
    person = current_person()
    if person is None:
        return False
    password = request.form.get(field, "")[:PASSWORD_LENGTH]
    with write(current_app.extensions["ventana"].sessions) as session:
        found = people.sign_in_staff(session, now(), person.email, password, client_network())
        return found is not None and found.id == person.actor.id


def not_theirs(field: str) -> Shown:
    """What is said beside the field otherwise."""
    title = _("We could not verify your password")
    return plain(field, SignInFailed.code, title, _("Password: it is not the one you sign in with."))
