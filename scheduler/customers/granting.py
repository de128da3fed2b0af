"""What a customer is given a right by: a purchase, bought hours, a maintenance contract, a reseller's contract."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import audit, entitlements
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.keeping import customer, require_dispatcher
from scheduler.rules.entitlement import last_day
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import Entitlement

MOST_HOURS = 10_000
MOST_EUROS = 100_000_000
_SERIAL = re.compile(r"[A-Z0-9](?:[A-Z0-9./_-]{1,38})[A-Z0-9]", re.ASCII)
_SERIAL_LOCKS = 0x5352


@dataclass(frozen=True, slots=True)
class GrantForm:
    """What was typed about a right; each kind reads its own fields, all as typed."""

    kind: str
    serial: str = ""
    invoice: str = ""
    bought_on: str = ""
    hours: str = ""
    valid_from: str = ""
    valid_until: str = ""
    purchases: str = ""
    contract_on: str = ""


def grant_right(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, customer_id: int, form: GrantForm
) -> Entitlement:
    """A new right of the customer, with its hours in the ledger.

    Raises InvalidInput(field, problem): serial not_a_serial or already_used, bought_on in_the_future, hours
    out_of_range or quarter_hours, valid_until before_start or in_the_past, and what cannot be read.
    """
    require_dispatcher(actor)
    row = customer(session, customer_id)
    values, minutes = _values(session, desk.today(now), form)
    right = Entitlement(customer_id=row.id, kind=form.kind, metered=minutes > 0, created_at=now, **values)
    session.add(right)
    session.flush()
    if minutes:
        entitlements.grant(session, now, right, minutes, actor)
    facts = {name: str(value) for name, value in values.items() if value is not None}
    _audit(session, desk, now, actor, "entitlement.grant", right, kind=form.kind, minutes=minutes, **facts)
    return right


def set_end(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, entitlement_id: int, until: str
) -> Entitlement:
    """Extend a right, or end it earlier: `until` is its last day, nothing typed means no end.

    Raises InvalidInput("valid_until", not_a_date or before_start); a purchase must keep an end.
    """
    require_dispatcher(actor)
    right = entitlement(session, entitlement_id)
    day = clean_day("valid_until", until, required=right.kind == "purchase")
    _require_order(right.valid_from, day)
    before = last_day(entitlements.facts_of(right), desk.conditions)
    right.valid_until = day
    session.flush()
    facts = {"before": str(before or ""), "until": str(day or "")}
    _audit(session, desk, now, actor, "entitlement.end", right, **facts)
    return right


def entitlement(session: Session, entitlement_id: int) -> Entitlement:
    """The entitlement with this number. Raises NotFound."""
    row = session.get(Entitlement, entitlement_id)
    if row is None:
        raise NotFound("entitlement")
    return row


def _values(session: Session, today: date, form: GrantForm) -> tuple[dict[str, Any], int]:
    """The row's values and the minutes to grant."""
    readers = {"purchase": _purchase, "hours": _bundle, "maintenance": _maintenance, "reseller": _reseller}
    if form.kind not in readers:
        raise InvalidInput("kind", "not_offered", offered=list(readers))
    values, minutes = readers[form.kind](today, form)
    if form.kind == "purchase":
        refuse_used_serial(session, str(values["serial"]))
    return dict(values), minutes


def _purchase(today: date, form: GrantForm) -> tuple[Mapping[str, Any], int]:
    bought = require_day("bought_on", form.bought_on)
    if bought > today:
        raise InvalidInput("bought_on", "in_the_future", today=today)
    return {
        "serial": clean_serial(form.serial),
        "invoice": clean_text("invoice", form.invoice, 80) or None,
        "bought_on": bought,
        "valid_from": bought,
    }, 0


def _bundle(today: date, form: GrantForm) -> tuple[Mapping[str, Any], int]:
    minutes = clean_hours("granted_hours", form.hours)
    start = clean_day("valid_from", form.valid_from) or today
    return {"valid_from": start, "valid_until": _future_end(start, today, form.valid_until)}, minutes


def _maintenance(today: date, form: GrantForm) -> tuple[Mapping[str, Any], int]:
    start = require_day("valid_from", form.valid_from)
    minutes = clean_hours("granted_hours", form.hours) if form.hours.strip() else 0
    until = _future_end(start, today, form.valid_until, required=True)
    return {"valid_from": start, "valid_until": until, "contract_on": start}, minutes


def _reseller(today: date, form: GrantForm) -> tuple[Mapping[str, Any], int]:
    return {
        "valid_from": today,
        "valid_until": _future_end(today, today, form.valid_until),
        "purchases_cents": clean_euros("purchases", form.purchases),
        "contract_on": clean_day("contract_on", form.contract_on),
    }, 0


def _future_end(start: date, today: date, text: str, required: bool = False) -> date | None:
    day = clean_day("valid_until", text, required=required)
    _require_order(start, day)
    if day is not None and day < today:
        raise InvalidInput("valid_until", "in_the_past", today=today)
    return day


def _require_order(start: date, end: date | None) -> None:
    if end is not None and end < start:
        raise InvalidInput("valid_until", "before_start", start=start)


def clean_serial(value: str) -> str:
    """A serial number in capitals without blanks. Raises InvalidInput("serial", required or not_a_serial)."""
    text = "".join(clean_text("serial", value, 60, required=True).upper().split())
    if not _SERIAL.fullmatch(text) or not any(c.isdigit() for c in text):
        raise InvalidInput("serial", "not_a_serial", example="GX-204518")
    return text


def refuse_used_serial(session: Session, serial: str) -> None:
    """Raise InvalidInput("serial", "already_used") when a purchase has it: one device gives free support once."""
    if session.get_bind().dialect.name == "postgresql":
        # Two dispatchers with the same delivery note would each see no purchase of the other.
        session.execute(select(func.pg_advisory_xact_lock(_SERIAL_LOCKS, func.hashtext(serial))))
    query = select(Entitlement).where(
        Entitlement.kind == "purchase", func.upper(Entitlement.serial) == serial
    )
    used = session.scalars(query).first()
    if used is not None:
        raise InvalidInput("serial", "already_used", customer=used.customer_id, company=used.customer.company)


def clean_hours(field: str, value: str) -> int:
    """Minutes from hours as typed ("1,5"). Raises InvalidInput: not_a_number, out_of_range, quarter_hours."""
    number = _decimal(field, value)
    if not 0 < number <= MOST_HOURS:
        raise InvalidInput(field, "out_of_range", minimum="0.25", maximum=MOST_HOURS)
    minutes = number * 60
    if minutes % 15:
        raise InvalidInput(field, "quarter_hours")
    return int(minutes)


def clean_euros(field: str, value: str) -> int:
    """Cents from euros as typed ("6.500,50", "6500.5"). Raises InvalidInput: not_a_number, out_of_range."""
    number = _decimal(field, _one_separator(value.replace("€", "")))
    if not 0 <= number <= MOST_EUROS:
        raise InvalidInput(field, "out_of_range", minimum=0, maximum=MOST_EUROS)
    return int((number * 100).quantize(Decimal(1)))


def _decimal(field: str, value: str) -> Decimal:
    text = clean_text(field, value, 20, required=True).replace(" ", "").replace("−", "-")
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise InvalidInput(field, "not_a_number") from None
    if not number.is_finite():
        raise InvalidInput(field, "not_a_number")
    return number


def _one_separator(text: str) -> str:
    """An amount without the points or commas that group its thousands, whichever of the two the country uses."""
    decimal_sign = max(".", ",", key=text.rfind)
    whole, _, cents = text.rpartition(decimal_sign)
    grouped = decimal_sign in whole or (len(cents.strip()) == 3 and not {".", ","} & set(whole))
    if not whole or grouped:  # "6.500" are six thousand five hundred: nobody writes three decimals of a euro
        return text.replace(".", "").replace(",", "")
    return whole.replace(".", "").replace(",", "") + "." + cents


def clean_day(field: str, value: str, required: bool = False) -> date | None:
    """A day as a date field sends it. Raises InvalidInput(field, required or not_a_date)."""
    text = clean_text(field, value, 20, required=required)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, "not_a_date") from None
    if not 1990 <= day.year <= 2199:
        raise InvalidInput(field, "not_a_date")
    return day


def require_day(field: str, value: str) -> date:
    """A day that must be given. Raises InvalidInput(field, required or not_a_date)."""
    day = clean_day(field, value, required=True)
    assert day is not None  # noqa: S101 - required above
    return day


def _audit(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    right: Entitlement,
    **facts: Any,
) -> None:
    subject = f"entitlement:{right.id}"
    audit.record(
        session,
        desk.installation,
        now,
        actor,
        action,
        subject,
        customer=right.customer_id,
        **facts,
    )
