"""Countries and their regions whose holidays are known, by name."""

import holidays
from babel import Locale

from scheduler.team.desk_hours import countries as known
from web import i18n
from web.i18n import gettext as _


def countries() -> list[tuple[str, str]]:
    """Every country by its name in the reader's language; none first."""
    names = Locale.parse(i18n.language()).territories
    found = sorted(((code, names.get(code, code)) for code in known()), key=lambda each: each[1])
    return [("", _("No holidays of a country")), *found]


def regions(country: str) -> list[tuple[str, str]]:
    """The country's regions by the name that the holidays' source gives them."""
    codes = known().get(country, ())
    if not codes:
        return [("", "–")]
    aliases = getattr(getattr(holidays, country), "subdivisions_aliases", {})
    names = {code: name for name, code in reversed(aliases.items())}
    found = sorted(((code, names.get(code, code)) for code in codes), key=lambda each: each[1])
    return [("", _("The whole country")), *found]
