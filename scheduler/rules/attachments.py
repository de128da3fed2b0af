"""Files that customers send along: how large, and under which name they are kept and mailed on."""

import re
import unicodedata
from typing import Final

from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_text

LARGEST_BYTES: Final = 10 * 1024 * 1024
_LONGEST_NAME: Final = 120
_LONGEST_ENDING: Final = 12
_NOT_IN_NAMES: Final = re.compile(r'[<>:"|?*]')


def clean_file_name(field: str, name: str) -> str:
    """The file's own name: without folders, in NFC, at most 120 characters with its ending kept.

    Names that could be another line of a mail's header, or that read in another order than they are stored
    ("factura\u202efdp.exe"), are refused and not repaired: whoever made one had something in mind.

    Raises InvalidInput(field, "file_name") for these and for a name with nothing in it.
    """
    last = re.split(r"[\\/]", name)[-1]
    try:
        tidy = clean_text(field, last, 4 * _LONGEST_NAME)
    except InvalidInput as refusal:
        raise InvalidInput(field, "file_name") from refusal
    tidy = _NOT_IN_NAMES.sub("_", tidy).strip(" .")
    if not any(unicodedata.category(character)[0] in "LN" for character in tidy):
        raise InvalidInput(field, "file_name")
    return _shortened(tidy)


def clean_file(field: str, name: str, content: bytes) -> tuple[str, bytes]:
    """Name and content as they may be kept. Raises InvalidInput: file_name, file_without_content, file_over_limit."""
    clean = clean_file_name(field, name)
    if not content:
        raise InvalidInput(field, "file_without_content")
    if len(content) > LARGEST_BYTES:
        raise InvalidInput(field, "file_over_limit", maximum=LARGEST_BYTES // 1024**2)
    return clean, content


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return name[:_LONGEST_NAME]
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"
