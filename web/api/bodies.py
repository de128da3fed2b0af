"""What requests may carry, and how rows look in answers. Instants are ISO 8601 in UTC."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from scheduler.rules.refusals import InvalidInput
from scheduler.store.models import AccessPoint, Booking, Check

M = TypeVar("M", bound=BaseModel)
MOST = 2**31 - 1
"""Larger numbers do not fit into the database's integers and would be an error there."""
YEARS = range(2000, 2100)
"""Beyond them a change of zone would leave the calendar."""


def _in_our_time(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError("a year out of reach")
    return moment


Number = Annotated[int, Field(ge=0, le=MOST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time)]


class Body(BaseModel):
    """Unknown fields are refused: a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid")


class BookingBody(Body):
    """POST /bookings."""

    access_point: Number
    entitlement: Number
    start_at: Moment
    minutes: Number = 60
    technician: Number | None = None
    zone: str | None = Field(default=None, max_length=64)
    topic: str | None = Field(default=None, max_length=40)
    description: str = ""
    override_reason: str | None = None


class MoveBody(Body):
    """POST /bookings/<id>/move; `rev` is the revision that was seen."""

    rev: Number
    start_at: Moment
    technician: Number | None = None
    zone: str | None = Field(default=None, max_length=64)
    override_reason: str | None = None


class RevBody(Body):
    """POST /bookings/<id>/cancel and /approve."""

    rev: Number


class RefuseBody(Body):
    """POST /bookings/<id>/refuse; the reason is mailed to the customer."""

    rev: Number
    reason: str


def read_body(model: type[M]) -> M:
    """The request's JSON as this model. Raises InvalidInput naming the first wrong field."""
    try:
        return model.model_validate(request.get_json(silent=True) or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(".".join(map(str, first["loc"])) or "body", _problem(first["type"])) from None


def _problem(kind: str) -> str:
    """Our word for pydantic's: the start of its type says what was expected."""
    return next((problem for start, problem in _PROBLEMS.items() if kind.startswith(start)), "not_text")


_PROBLEMS = {
    "missing": "required",
    "extra_forbidden": "not_offered",
    "datetime": "not_a_date",
    "timezone": "not_a_date",
    "int": "not_a_number",
    "string_too_long": "too_long",
    "value_error": "not_a_date",
    "greater_than": "not_a_number",
    "less_than": "not_a_number",
}


def booking_document(row: Booking) -> dict[str, Any]:
    """A booking."""
    return {
        "id": row.id,
        "uid": row.uid,
        "status": row.status,
        "rev": row.rev,
        "start_at": instant(row.starts_at),
        "end_at": instant(row.ends_at),
        "technician": row.technician_id,
        "access_point": row.access_point_id,
        "entitlement": row.entitlement_id,
        "earliest_at": instant(row.earliest_at),
        "override_reason": row.override_reason,
        "verdict": row.verdict,
        "verdict_code": row.verdict_code,
        "checked_at": instant(row.checked_at),
    }


def check_document(row: Check) -> dict[str, Any]:
    """A check with its steps."""
    return {
        "id": row.id,
        "booking": row.booking_id,
        "access_point": row.access_point_id,
        "stage": row.stage,
        "state": row.state,
        "due_at": instant(row.due_at),
        "finished_at": instant(row.finished_at),
        "verdict": row.verdict,
        "code": row.code,
        "steps": [
            {"name": s.name, "outcome": s.outcome, "code": s.code, "facts": s.facts, "ms": s.ms}
            for s in row.steps
        ],
    }


def door_document(row: AccessPoint) -> dict[str, Any]:
    """An access point; never its credential."""
    return {
        "id": row.id,
        "system": row.system.name,
        "platform": row.system.platform,
        "method": row.method,
        "host": row.host,
        "port": row.port,
        "username": row.username,
        "credential_kind": row.credential_kind,
    }


def instant(moment: datetime | None) -> str | None:
    """2026-11-25T09:30:00Z."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
