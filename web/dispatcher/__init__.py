"""The dispatcher's pages: customers with their rights, and what else the desk decides for all."""

from flask import Blueprint

from web.dispatcher import (
    approvals,
    claims,
    contacts,
    customers,
    day,
    desk_hours,
    doors,
    imports,
    log,
    merges,
    requests,
    returns,
    sending,
    support,
    team,
    team_times,
    waiting,
)

dispatcher = Blueprint("dispatcher", __name__)
PARTS = (
    day,
    customers,
    claims,
    contacts,
    doors,
    imports,
    log,
    merges,
    requests,
    returns,
    sending,
    support,
    team,
    team_times,
    desk_hours,
    waiting,
    approvals,
)
for part in PARTS:
    dispatcher.register_blueprint(part.blueprint)
