"""A CSV file as offices make them: UTF-8 or Latin-1, with or without BOM, parted by ; , or tab."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import search_key

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 200_000
DELIMITERS = (";", ",", "\t")
REQUIRED = ("company", "cif")
_WORDS = {
    "company": ("empresa", "company", "razon social", "cliente", "customer"),
    "cif": ("cif", "nif", "cif nif", "nif cif", "tax number", "vat"),
    "name": ("contacto", "contact", "nombre del contacto", "persona", "name"),
    "email": ("correo", "correo electronico", "email", "e mail", "mail"),
    "phone": ("telefono", "phone", "tel", "telephone"),
    "locale": ("idioma", "language", "locale"),
    "zone": ("zona", "zona horaria", "zone", "time zone"),
    "technician": ("tecnico", "technician", "tecnico asignado"),
}
COLUMNS = {word: column for column, words in _WORDS.items() for word in words}
"""Heading as a search compares it → our column."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: the line of the file on which it starts (the heading is line 1) and its cells by column."""

    line: int
    cells: Mapping[str, str]
    surplus: bool = False
    """It has more cells than there are headings: a delimiter inside a value, most likely."""


def decode(content: bytes) -> str:
    """The text of the file. Raises InvalidInput("file"): too_large, empty, not_a_csv (a spreadsheet, a picture)."""
    if len(content) > MOST_BYTES:
        raise InvalidInput("file", "file_too_large", maximum=MOST_BYTES // 1024 // 1024)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = _or_refuse(content, "utf-16")
    elif content[:3] == b"\xef\xbb\xbf":
        text = _or_refuse(content, "utf-8-sig")
    else:
        text = _utf8_or_latin1(content)
    if not text.strip():
        raise InvalidInput("file", "file_empty")
    if "\0" in text:
        raise InvalidInput("file", "not_a_csv", line=text[: text.index("\0")].count("\n") + 1)
    return text


def rows(text: str) -> Iterator[CsvRow]:
    """The rows under the heading, blank ones left out.

    Raises InvalidInput("file"): one_column, missing_columns(missing), column_twice(column), too_many_rows, not_a_csv.
    """
    heading = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    delimiter = delimiter_of(heading)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    columns, count = _columns(_next(reader, 1) or []), 0
    line = reader.line_num + 1
    while (cells := _next(reader, line)) is not None:
        if any(cell.strip() for cell in cells):
            count += 1
            if count > MOST_ROWS:
                raise InvalidInput("file", "too_many_rows", maximum=MOST_ROWS)
            yield CsvRow(line, _named(columns, cells), any(cells[len(columns) :]))
        line = reader.line_num + 1


def _next(reader: Iterator[list[str]], line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise InvalidInput("file", "not_a_csv", line=line) from None


def delimiter_of(heading: str) -> str:
    """The delimiter that finds most of our columns. Raises InvalidInput("file", "one_column")."""
    found = {each: len(set(_known(heading, each))) for each in DELIMITERS}
    best = max(DELIMITERS, key=lambda each: (found[each], heading.count(each)))
    if best not in heading:
        raise InvalidInput("file", "one_column", heading=heading[:80])
    return best


def _known(heading: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([heading], delimiter=delimiter), [])
    return [COLUMNS[key] for key in map(search_key, cells) if key in COLUMNS]


def _columns(heading: list[str]) -> list[str | None]:
    columns = [COLUMNS.get(search_key(cell)) for cell in heading]
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise InvalidInput("file", "missing_columns", missing=missing)
    for column in columns:
        if column is not None and columns.count(column) > 1:
            raise InvalidInput("file", "column_twice", column=column)
    return columns


def _named(columns: list[str | None], cells: list[str]) -> dict[str, str]:
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name is not None}


def _or_refuse(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidInput("file", "not_a_csv", line=1) from None


def _utf8_or_latin1(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # What Spanish offices call Latin-1 is Windows' variant with the euro sign; five bytes of it mean nothing.
        return content.decode("cp1252", "replace")
