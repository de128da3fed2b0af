"""The technician's pages: signing in, the agenda with its cards, and each session from preparation to close-out."""

from flask import Blueprint

from web.technician import (
    access,
    account,
    agenda,
    booking_for,
    closing,
    devices,
    door,
    feeds,
    first_password,
    moving,
    own_password,
    rdp_file,
    reassigning,
    revealing,
    session,
)

technician = Blueprint("technician", __name__)
for part in (
    door,
    first_password,
    account,
    own_password,
    agenda,
    booking_for,
    feeds,
    devices,
    session,
    access,
    revealing,
    closing,
    moving,
    reassigning,
    rdp_file,
):
    technician.register_blueprint(part.blueprint)
