"""The lists that the dispatcher's forms offer: languages, time zones, technicians."""

from sqlalchemy.orm import Session

from scheduler.team.people import colleagues
from web.i18n import LOCALE_NAMES

LANGUAGES = tuple(LOCALE_NAMES.items())
_USUAL_ZONES = ("Europe/Madrid", "Atlantic/Canary", "Europe/Lisbon", "Europe/Andorra", "UTC")


def zones(chosen: str | None) -> list[tuple[str, str]]:
    """The zones that the desk's customers live in, and the one that is kept if it is another."""
    names = [*_USUAL_ZONES, *([chosen] if chosen and chosen not in _USUAL_ZONES else [])]
    return [(name, name.replace("_", " ")) for name in names]


def technicians(session: Session) -> list[tuple[str, str]]:
    """Everybody who may be assigned, by name; nobody first."""
    return [("", "–"), *((str(row.id), row.name) for row in colleagues(session))]
