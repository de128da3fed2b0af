"""One event of every kind that a calendar can show, with the worst texts that people and attackers write."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from scheduler.calendars.event import FailedStep
from scheduler.calendars.writing import write_event
from scheduler.store.engines import write
from scheduler.store.models import AccessPoint, Customer, Entitlement, System
from tests.unit.calendars.desk import NOW, add_booking, context
from tests.web.dav_client import DavDesk

KINDS: dict[int, dict[str, object]] = {
    2: {"verdict": "ready", "checked_at": NOW},
    3: {"verdict": "at_risk", "verdict_code": "slow_login", "checked_at": NOW},
    4: {"verdict": "not_ready", "verdict_code": "port_refused", "checked_at": NOW},
    5: {"status": "pending"},
    6: {"status": "in_session", "verdict": "ready"},
    7: {"status": "done", "starts_at": NOW - timedelta(days=3), "ends_at": NOW - timedelta(days=3, hours=-2)},
    8: {"status": "no_show"},
    9: {"description": "a;b,c\\d\nline two\r\nBEGIN:VEVENT\nEND:VCALENDAR"},
    10: {"description": "📞" * 500, "topic": "📱" * 60},
    11: {"description": "\u202eabc\u202c \u2028 \u2029 \x85 \ufeff\x00\x07 end".replace("\x00", "")},
    12: {"description": "x" * 500},
    13: {"description": "C:\\Nueva\\nombre \\, \\; \\N"},
}
"""Booking → what it is beside Ana's confirmed hour of the desk's (which is 1)."""
COMPANIES = ("A;B,C\\D:E", "📞" * 200, "Línea\u202e\u2028uno\tdos", "Ñ" * 500, '"comillas" <&> S.L.', "\n")
"""Names of customers; a booking of each follows the kinds."""
CANCELLED = 1 + len(KINDS) + len(COMPANIES) + 1


def fill(desk: DavDesk) -> None:
    """Add them to the desk of `make_desk`."""
    with write(desk.sessions) as session:
        for number, values in KINDS.items():
            _write(session, number, **values)
        for number, company in enumerate(COMPANIES, 2 + len(KINDS)):
            _add_customer(session, number, company)
            _write(
                session,
                number,
                customer_id=number,
                system_id=number,
                access_point_id=number,
                entitlement_id=number,
            )
        _write(session, CANCELLED)
    desk.change(CANCELLED, status="cancelled")


def _write(session: Session, number: int, **values: object) -> None:
    booking = add_booking(session, number, id=number, **values)
    failing = FailedStep("Puerto; cerrado, ¿no?", "port_refused", "Abra el puerto 22,\nlínea dos; fin.")
    write_event(
        session,
        context(session),
        booking,
        NOW,
        explain=lambda *_: failing if booking.verdict == "not_ready" else None,
    )


def _add_customer(session: Session, id_: int, company: str) -> None:
    session.add(Customer(id=id_, company=company, cif=f"B{id_:08d}", zone="Europe/Madrid", created_at=NOW))
    session.flush()
    session.add(System(id=id_, customer_id=id_, platform="3cx", name=company, created_at=NOW))
    session.add(
        Entitlement(
            id=id_,
            customer_id=id_,
            kind="maintenance",
            metered=False,
            valid_from=date(2026, 1, 1),
            created_at=NOW,
        )
    )
    session.flush()
    session.add(
        AccessPoint(
            id=id_,
            system_id=id_,
            method="rdp",
            host="pbx.example.com",
            port=3389,
            username="soporte",
            credential_kind="our_key",
            created_at=NOW,
        )
    )
    session.flush()
