"""The customer's way from company name to confirmed session, and the page that manages a session afterwards.

Every step is an address of its own and carries its choices in the query, so that reload, back and a second tab work
without anything kept on the server.
"""

from flask import Blueprint

from web.customer import (
    arrival,
    booking,
    calendar,
    checking,
    claim,
    doors,
    entitlement,
    mailing,
    managing,
    moving,
    returns,
    support,
    waiting,
)

customer = Blueprint("customer", __name__)
for part in (
    arrival,
    claim,
    entitlement,
    doors,
    booking,
    checking,
    managing,
    moving,
    calendar,
    support,
    mailing,
    returns,
    waiting,
):
    customer.register_blueprint(part.blueprint)
