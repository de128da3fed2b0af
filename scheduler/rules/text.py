"""What people type: refused where it could harm, tidied where it could not."""

import ipaddress
import re
import unicodedata

from scheduler.rules.refusals import InvalidInput

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make text read in another order than it is stored: a host name that shows as another one."""
_LINE_ENDS = frozenset("\n\r\u0085\u2028\u2029")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_DOTS = frozenset("\u3002\uff0e\uff61")
_LONGEST_HOST = 253
_LONGEST_SEARCH = 200
_MOST_WORDS = 6


def clean_text(
    field: str, value: str, max_length: int, multiline: bool = False, required: bool = False
) -> str:
    """The text in Unicode NFC without blanks at both ends.

    Emoji and every script pass. With `multiline`, line ends become LF and tabs
    stay; without it, a line end is a control character, since it could start a
    second header in a mail or a second line in a calendar. Lengths are counted
    in characters, after tidying.

    Raises InvalidInput(field, problem): not_text, control_characters (C0, C1,
    bidirectional controls, lone surrogates), too_long (limit=…), required.
    """
    if not isinstance(value, str):
        raise InvalidInput(field, "not_text")
    if len(value) > 4 * max_length + 1024:
        raise InvalidInput(field, "too_long", limit=max_length)  # before any work on two megabytes
    if multiline:
        value = value.replace("\r\n", "\n")
    if any(_is_control(character, multiline) for character in value):
        raise InvalidInput(field, "control_characters")
    tidy = unicodedata.normalize("NFC", value).strip()
    if len(tidy) > max_length:
        raise InvalidInput(field, "too_long", limit=max_length)
    if required and not tidy:
        raise InvalidInput(field, "required")
    return tidy


def _is_control(character: str, multiline: bool) -> bool:
    if multiline and character in "\n\t":
        return False
    return character in _BIDI or character in _LINE_ENDS or unicodedata.category(character) in ("Cc", "Cs")


def clean_host(field: str, value: str) -> str:
    """A host name or IP address in its plain form: lower case, international names as "xn--…".

    Syntax only (RFC 1123 §2.1, RFC 3490): whether the address may be dialled is
    decided where it is dialled. Odd spellings of addresses (one number, octal,
    hexadecimal, short, fullwidth or circled digits, a zone id, brackets, a
    trailing dot) are refused, because different readers read different hosts.

    Raises InvalidInput: required, too_long, control_characters, or not_a_host
    with `looks_like` = url, with_port, with_user or None, so that the remedy
    can say what to leave out.
    """
    host = clean_text(field, value, _LONGEST_HOST, required=True)
    address = _plain_address(host)
    if address is not None:
        return address
    name = _ascii_name(host)
    if name is None or not _is_name(name):
        raise InvalidInput(field, "not_a_host", looks_like=_looks_like(host))
    return name


def _plain_address(host: str) -> str | None:
    if not host.isascii() or "%" in host:
        return None
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _ascii_name(host: str) -> str | None:
    """The name as DNS knows it, or None if it cannot be one or compatibility forms hide another one."""
    if host.isascii():
        return host.lower()
    if unicodedata.normalize("NFKC", host) != host or _DOTS & set(host):
        return None
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None


def _is_name(name: str) -> bool:
    labels = name.split(".")
    fits = len(name) <= _LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)
    return fits and not _NUMBER.fullmatch(labels[-1])


def _looks_like(host: str) -> str | None:
    if "://" in host or "/" in host:
        return "url"
    if "@" in host:
        return "with_user"
    return "with_port" if re.fullmatch(r"[^:]+:\d+|\[.+\]:\d+", host) else None


def search_key(*texts: str) -> str:
    """What a search compares: letters and digits in lower case without accents, anything else a single blank."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    letters = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(letters).split())


def search_words(typed: str) -> tuple[str, ...]:
    """The words of a search as `search_key` writes them; of endless ones the first six."""
    return tuple(search_key(typed[:_LONGEST_SEARCH]).split()[:_MOST_WORDS])
