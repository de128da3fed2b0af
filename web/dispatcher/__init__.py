"""The dispatcher's pages: customers with their rights, and what else the desk decides for all."""

from flask import Blueprint

from web.dispatcher import claims, contacts, customers, desk_hours, doors, support, team, team_times

dispatcher = Blueprint("dispatcher", __name__)
for part in (customers, claims, contacts, doors, support, team, team_times, desk_hours):
    dispatcher.register_blueprint(part.blueprint)
