"""Words for what may be wrong with customers, their rights and their files; web.words.inputs reads both tables."""

from collections.abc import Callable, Mapping
from typing import Any

from web import i18n
from web.i18n import gettext as _

Facts = Mapping[str, Any]


def labels() -> dict[str, str]:
    """Field names of these forms in the reader's language."""
    return {
        "attachment": _("Attachment"),
        "bought_on": _("Date of the purchase"),
        "claim": _("Request"),
        "contract_on": _("Date of the contract"),
        "correction": _("Hours"),
        "file": _("File"),
        "granted_hours": _("Hours"),
        "into": _("The customer that stays"),
        "kind": _("Kind of support"),
        "locale": _("Language"),
        "text": _("Your question"),
        "step": _("Step"),
        "symptoms": _("Symptoms"),
        "purchases": _("Purchases"),
        "row": _("Row"),
        "valid_from": _("First day"),
        "valid_until": _("Last day"),
    }


def _already_known(facts: Facts) -> tuple[str, str]:
    return (
        _("%(company)s has this CIF already.", company=facts["company"]),
        _("Open that customer instead of making another one."),
    )


def _already_used(facts: Facts) -> tuple[str, str]:
    return (
        _("a purchase of %(company)s has this serial number already.", company=facts["company"]),
        _("Check the number on the device; free support is given once for each."),
    )


def _already_a_contact(_facts: Facts) -> tuple[str, str]:
    return _("this person is a contact already."), _("Change that contact instead.")


def _already_decided(_facts: Facts) -> tuple[str, str]:
    return _("somebody decided on it already."), _("Reload the list.")


def _not_a_serial(facts: Facts) -> tuple[str, str]:
    return (
        _("this is not a serial number: letters, digits and dashes, with a digit at least."),
        _("Copy it from the label, as in %(example)s.", example=facts["example"]),
    )


def _in_the_future(facts: Facts) -> tuple[str, str]:
    return _("this day has not come yet."), _("Give a day up to %(day)s.", day=i18n.say_day(facts["today"]))


def _in_the_past(facts: Facts) -> tuple[str, str]:
    return _("this day has gone by."), _("Give a day from %(day)s on.", day=i18n.say_day(facts["today"]))


def _before_start(facts: Facts) -> tuple[str, str]:
    return _("it is before the first day."), _(
        "Give a day from %(day)s on.", day=i18n.say_day(facts["start"])
    )


def _not_metered(_facts: Facts) -> tuple[str, str]:
    return _("this support counts no hours."), _("Grant an hour bundle instead.")


def _not_a_zone(facts: Facts) -> tuple[str, str]:
    return _("there is no such time zone."), _("Write it as in %(example)s.", example=facts["example"])


def _same_customer(_facts: Facts) -> tuple[str, str]:
    return _("a customer cannot be merged into itself."), _("Choose another customer.")


def _file_too_large(facts: Facts) -> tuple[str, str]:
    return _("the file is too large."), _("Part it: at most %(maximum)s MB each.", maximum=facts["maximum"])


def _file_empty(_facts: Facts) -> tuple[str, str]:
    return _("the file is empty."), _("Choose a CSV file with a heading and rows.")


def _not_a_csv(facts: Facts) -> tuple[str, str]:
    return (
        _("it cannot be read as CSV at line %(line)s.", line=facts["line"]),
        _("Save it from the spreadsheet as CSV; every quote that opens must close."),
    )


def _one_column(facts: Facts) -> tuple[str, str]:
    return (
        _("the heading is a single column: %(heading)s", heading=facts["heading"]),
        _("Part the columns by semicolon, comma or tab."),
    )


def _missing_columns(facts: Facts) -> tuple[str, str]:
    names = {"company": _("Company"), "cif": _("CIF")}
    missing = i18n.say_list(names.get(each, each) for each in facts["missing"])
    return _("columns are missing: %(names)s.", names=missing), _("Name them in the first line.")


def _column_twice(facts: Facts) -> tuple[str, str]:
    return _("two columns mean the same: %(column)s.", column=facts["column"]), _("Leave one of them out.")


def _too_many_rows(facts: Facts) -> tuple[str, str]:
    return _("it has too many rows."), _("Part it: at most %(maximum)s rows each.", maximum=facts["maximum"])


def _too_many_cells(_facts: Facts) -> tuple[str, str]:
    return (
        _("the row has more cells than there are columns."),
        _("Put values with a delimiter in them between quotes."),
    )


def _cif_twice(facts: Facts) -> tuple[str, str]:
    return (
        _("line %(line)s has the same CIF.", line=facts["line"]),
        _("Leave one row for each company; add more people on its page."),
    )


def _cif_merged(facts: Facts) -> tuple[str, str]:
    return (
        _("this customer was merged into another one."),
        _("Use its CIF, %(cif)s.", cif=facts["now"]),
    )


def _no_such_technician(_facts: Facts) -> tuple[str, str]:
    return _("no technician has this e-mail."), _("Write the address with which they sign in.")


def _step_not_now(_facts: Facts) -> tuple[str, str]:
    return _("this step cannot follow where the return stands now."), _(
        "Reload the page and choose one it offers."
    )


def _return_open(_facts: Facts) -> tuple[str, str]:
    return _("a return of this device is under way already."), _("Follow that one in the list below.")


def _unknown_purchase(_facts: Facts) -> tuple[str, str]:
    return (
        _("your company has no purchase with this number."),
        _("Compare it with the label, or tell us about the purchase first."),
    )


def _file_name(_facts: Facts) -> tuple[str, str]:
    return _("the name of the file holds hidden characters."), _("Rename the file and choose it again.")


def _file_without_content(_facts: Facts) -> tuple[str, str]:
    return _("the file is empty."), _("Choose it again, or send your question without it.")


def _file_over_limit(facts: Facts) -> tuple[str, str]:
    return (
        _("the file is too large."),
        _(
            "Send at most %(maximum)s MB: compress it, or send only the part that matters.",
            maximum=facts["maximum"],
        ),
    )


def _changed_since_preview(_facts: Facts) -> tuple[str, str]:
    return (
        _("it changed since the preview, so the row was not written."),
        _("Import the file again: the preview then shows it as it is now."),
    )


PROBLEMS: Mapping[str, Callable[[Facts], tuple[str, str]]] = {
    "already_a_contact": _already_a_contact,
    "already_decided": _already_decided,
    "already_known": _already_known,
    "already_used": _already_used,
    "before_start": _before_start,
    "in_the_future": _in_the_future,
    "in_the_past": _in_the_past,
    "not_a_serial": _not_a_serial,
    "not_a_zone": _not_a_zone,
    "not_metered": _not_metered,
    "same_customer": _same_customer,
    "file_too_large": _file_too_large,
    "file_empty": _file_empty,
    "not_a_csv": _not_a_csv,
    "one_column": _one_column,
    "missing_columns": _missing_columns,
    "column_twice": _column_twice,
    "too_many_rows": _too_many_rows,
    "too_many_cells": _too_many_cells,
    "cif_twice": _cif_twice,
    "cif_merged": _cif_merged,
    "return_open": _return_open,
    "step_not_now": _step_not_now,
    "file_name": _file_name,
    "file_over_limit": _file_over_limit,
    "file_without_content": _file_without_content,
    "unknown_purchase": _unknown_purchase,
    "no_such_technician": _no_such_technician,
    "changed_since_preview": _changed_since_preview,
}
