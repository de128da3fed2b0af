"""The hour ledger on a page and as CSV, the same for the dispatcher and for the customer whose hours they are."""

import csv
import io
from datetime import date
from typing import Any

from babel.dates import format_date
from flask import Response
from sqlalchemy.orm import Session

from scheduler.customers.ledger import Line, lines
from scheduler.store.models import Entitlement
from web import i18n
from web.i18n import gettext as _
from web.public import kind_word
from web.security import current_zone


def full_date(day: date) -> str:
    """22 de mayo de 2027: an end may be years away, so the year is said."""
    pattern = "d 'de' MMMM 'de' y" if i18n.language() == "es" else "d MMMM y"
    return format_date(day, pattern, locale=i18n.language())


def ledger_rows(session: Session, right: Entitlement) -> list[dict[str, Any]]:
    """The ledger for a table, the newest entry first."""
    return [_row(line) for line in reversed(lines(session, right))]


def ledger_csv(session: Session, right: Entitlement) -> Response:
    """The ledger as a file for spreadsheets: with BOM, and ; between the columns where a comma is the decimal sign."""
    text = io.StringIO()
    spanish = i18n.language() == "es"
    writer = csv.writer(text, delimiter=";" if spanish else ",")
    writer.writerow([_("When"), _("Movement"), _("Hours"), _("Balance"), _("By"), _("Session"), _("Reason")])
    for line in lines(session, right):
        writer.writerow([safe(cell) for cell in _cells(line, spanish)])
    name = f"{kind_word(right.kind)}-{right.id}.csv".replace(" ", "-").lower()
    return csv_response(text.getvalue(), name)


def csv_response(text: str, filename: str) -> Response:
    """A CSV download; the BOM makes spreadsheets read the accents."""
    ascii_name = filename.encode("ascii", "ignore").decode()
    headers = {
        "Content-Disposition": f'attachment; filename="{ascii_name}"',
        "Cache-Control": "no-store",
    }
    return Response("\ufeff" + text, mimetype="text/csv", headers=headers)


def safe(cell: str) -> str:
    """The cell so that no spreadsheet takes what somebody typed for a formula (CWE-1236)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell[1:].replace(",", "").replace(".", "").isdigit()


def _row(line: Line) -> dict[str, Any]:
    return {
        "when": i18n.say_short_moment(line.at),
        "what": _movement(line),
        "hours": _signed(line.minutes),
        "balance": i18n.say_hours(line.balance),
        "by": _by(line),
        "booking": line.booking,
        "session": i18n.say_short_moment(line.booking.starts_at) if line.booking else "",
        "note": line.note,
    }


def _cells(line: Line, spanish: bool) -> list[str]:
    moment = line.at.astimezone(current_zone()).strftime("%Y-%m-%d %H:%M")
    starts = line.booking.starts_at.astimezone(current_zone()) if line.booking else None
    numbers = [f"{minutes / 60:.2f}" for minutes in (line.minutes, line.balance)]
    return [
        moment,
        _movement(line),
        *(number.replace(".", ",") if spanish else number for number in numbers),
        _by(line),
        starts.strftime("%Y-%m-%d %H:%M") if starts else "",
        line.note or "",
    ]


def _signed(minutes: int) -> str:
    return f"{'+' if minutes > 0 else '−'}{i18n.say_hours(abs(minutes))}"


def _movement(line: Line) -> str:
    words = {
        "grant": _("Granted"),
        "hold": _("Set aside for a session"),
        "consume": _("Used in a session"),
        "release": _("Given back"),
        "reverse": _("Closing taken back"),
        "correction": _("Correction"),
    }
    return words.get(line.reason, line.reason)


def _by(line: Line) -> str:
    if line.by == "system":
        return _("the system")
    return line.by or _("somebody no longer here")
