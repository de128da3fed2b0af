"""The dispatcher's pages: customers with their rights, and what else the desk decides for all."""

from flask import Blueprint

from web.dispatcher import claims, contacts, customers, doors, support

dispatcher = Blueprint("dispatcher", __name__)
for part in (customers, claims, contacts, doors, support):
    dispatcher.register_blueprint(part.blueprint)
