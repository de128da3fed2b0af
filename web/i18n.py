"""The reader's language, time zone, and the words that depend on them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta, get_day_names
from babel.lists import format_list
from babel.numbers import format_currency
from flask import Flask, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as translate
from flask_babel import ngettext as translate_plural

from scheduler import wording
from scheduler.rules.hours import WeeklyHours
from web.security import current_person, current_zone

LOCALES = ("es", "en")
LOCALE_NAMES = {"es": "Español", "en": "English"}
PLATFORMS = {"asterisk": "Asterisk", "elastix": "Elastix", "3cx": "3CX"}


def speak(app: Flask) -> None:
    """Choose the language per request and give the templates their words."""
    babel = Babel()
    babel.init_app(
        app, default_locale="es", default_translation_directories="translations", locale_selector=_choose
    )
    app.jinja_env.globals.update(
        locale=language,
        locale_names=LOCALE_NAMES,
        say_day=say_day,
        say_short_day=say_short_day,
        say_days=say_days,
        say_time=say_time,
        say_moment=say_moment,
        say_short_moment=say_short_moment,
        say_window=say_window,
        say_zone=say_zone,
        say_zone_name=say_zone_name,
        say_hours=say_hours,
        say_euros=say_euros,
        say_duration=say_duration,
        say_ago=say_ago,
        say_list=say_list,
        say_weekly_hours=say_weekly_hours,
        weekday_name=weekday_name,
        say_platform=say_platform,
        say_method=say_method,
    )


def _choose() -> str:
    if not has_request_context():
        return "es"
    chosen = request.cookies.get("lang")
    if chosen in LOCALES:
        return chosen
    person = current_person()
    if person is not None and person.locale in LOCALES:
        return person.locale
    return request.accept_languages.best_match(LOCALES, default="es") or "es"


def gettext(message: str, **facts: Any) -> str:
    """The message in the reader's language, with the facts in its %(named)s places; imported as `_`."""
    return str(translate(message, **facts))


def ngettext(one: str, many: str, num: int, **facts: Any) -> str:
    """The same for messages that count; %(num)s is the number."""
    return str(translate_plural(one, many, num, **facts))


def language() -> str:
    """The language of this page: "es" or "en"."""
    return str(getattr(get_locale(), "language", "es"))


def say_day(day: date) -> str:
    """As in miércoles 25 de noviembre."""
    return wording.say_day(day, language())


def say_short_day(day: date) -> str:
    """As in mié 25 nov."""
    return format_date(day, "EEE d MMM", locale=language()).replace(".", "")


def say_days(first: date, last: date) -> str:
    """24–30 de noviembre; 28 de noviembre – 2 de diciembre."""
    pattern = "d 'de' MMMM" if language() == "es" else "d MMMM"
    end = format_date(last, pattern, locale=language())
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    return f"{format_date(first, pattern, locale=language())} – {end}"


def say_time(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """10:30, on the reader's clock or in `zone`."""
    return wording.say_time(moment, zone or current_zone())


def say_moment(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """As in miércoles 25 de noviembre, 10:30."""
    return wording.say_moment(moment, zone or current_zone(), language())


def say_short_moment(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """As in mié 25 nov, 10:30."""
    zone = zone or current_zone()
    return f"{say_short_day(moment.astimezone(zone).date())}, {wording.say_time(moment, zone)}"


def say_window(start: datetime, end: datetime, zone: ZoneInfo | None = None) -> str:
    """As in miércoles 25 de noviembre, 10:30–11:30, España peninsular (UTC+1)."""
    return wording.say_window(start, end, zone or current_zone(), language())


def say_zone(zone: ZoneInfo, moment: datetime) -> str:
    """España peninsular (UTC+1), at that moment."""
    return wording.say_zone(zone, moment, language())


def say_zone_name(zone: ZoneInfo) -> str:
    """España peninsular, whatever the season."""
    return say_zone(zone, datetime(2026, 1, 1, tzinfo=UTC)).rsplit(" (", 1)[0]


def say_hours(minutes: int) -> str:
    """A balance: 6,5 h."""
    return wording.say_hours(minutes, language())


def say_euros(cents: int) -> str:
    """6.000,00 € without the cents when there are none: 6.000 €."""
    whole = cents % 100 == 0
    return format_currency(
        cents / 100, "EUR", locale=language(), format="#,##0 ¤" if whole else None, currency_digits=not whole
    )


def say_duration(minutes: int) -> str:
    """A length on the clock: 6 h 50 min."""
    return wording.say_duration(minutes)


def say_ago(then: datetime, now: datetime) -> str:
    """As in hace 14 minutos; for a moment to come, dentro de 20 minutos."""
    if abs(now - then) < timedelta(minutes=1):
        return gettext("just now")
    return format_timedelta(then - now, add_direction=True, threshold=1.3, locale=language())


def say_list(words: Iterable[str], style: str = "standard") -> str:
    """SSH, VNC y web; with style "or": SSH, VNC o web."""
    return format_list(list(words), style=style, locale=language())  # type: ignore[arg-type]


def say_platform(platform: str) -> str:
    """How people write the PBX's name."""
    return PLATFORMS.get(platform, platform)


def say_method(method: str) -> str:
    """How people call an access method."""
    words: Mapping[str, str] = {
        "ssh": "SSH",
        "rdp": gettext("remote desktop (RDP)"),
        "vnc": "VNC",
        "web": gettext("web access to the admin panel"),
    }
    return words.get(method, method)


def weekday_name(day: int) -> str:
    """The name of an ISO weekday as a label: Lunes."""
    return str(get_day_names("wide", locale=language())[day - 1]).capitalize()


def say_weekly_hours(weekly: WeeklyHours) -> str:
    """As in lunes a jueves de 9:00 a 14:00 y de 15:00 a 18:00, viernes de 9:00 a 15:00."""
    names = get_day_names("wide", locale=language())
    runs: list[tuple[int, int, tuple[Any, ...]]] = []
    for day in range(1, 8):
        spans = tuple(weekly.get(day, ()))
        if runs and runs[-1][2] == spans:
            runs[-1] = (runs[-1][0], day, spans)
        else:
            runs.append((day, day, spans))
    return ", ".join(
        f"{_say_days_of_week(names[a - 1], names[b - 1], b - a)} {say_list(map(_say_span, spans))}"
        for a, b, spans in runs
        if spans
    )


def _say_days_of_week(first: str, last: str, apart: int) -> str:
    if apart == 0:
        return first
    if apart == 1:
        return say_list((first, last))
    return gettext("%(first)s to %(last)s", first=first, last=last)


def _say_span(span: tuple[time, time]) -> str:
    start, end = (f"{moment.hour}:{moment.minute:02d}" for moment in span)
    # Midnight as an end is written 24:00, since "to 0:00" reads as no time at all.
    return gettext("from %(start)s to %(end)s", start=start, end="24:00" if end == "0:00" else end)
