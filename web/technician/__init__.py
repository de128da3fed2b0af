"""The technician's pages: signing in, the agenda with its cards, and each session from preparation to close-out."""

from flask import Blueprint

from web.technician import (
    access,
    agenda,
    booking_for,
    closing,
    devices,
    door,
    feeds,
    moving,
    rdp_file,
    revealing,
    session,
)

technician = Blueprint("technician", __name__)
for part in (
    door,
    agenda,
    booking_for,
    feeds,
    devices,
    session,
    access,
    revealing,
    closing,
    moving,
    rdp_file,
):
    technician.register_blueprint(part.blueprint)
