"""A list of targets, one a line: JSON objects, or comma-separated values under a line of field names.

No secret stands in a list: a credential is named by the file that holds it or by an environment variable. A line
that cannot be right is a value with its number and field, so that the others are still tried.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probes.addresses import NOTHING_EXTRA, AddressAllowance
from probes.errors import TargetError
from probes.many import Job
from probes.target import NO_CREDENTIAL, Credential, CredentialKind, Depth, Target

PORTS = {"ssh": 22, "rdp": 3389, "vnc": 5900, "web": 5001}
DEPTHS = {depth.name.lower(): depth for depth in Depth if depth < Depth.PICTURE}
LONGEST_LINE = 64 * 1024
MOST_LINES = 100_000
LARGEST_SECRET = 64 * 1024
SECRETS = ("password", "key", "private_key", "passphrase", "credential")
BY_REFERENCE = ("key_file", "password_file", "password_env")
PLAIN = ("method", "host", "user", "profile", "platform", "path", "ca_file")
FIELDS = (*PLAIN, *BY_REFERENCE, "passphrase_env", "port", "pins", "trust_first_use", "depth", "id")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be tried: its number, the field, and a stable word for what is wrong with it."""

    number: int
    field: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.field}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Label:
    """Where a job comes from: the line, and the ``id`` that the list gives it."""

    number: int
    id: str | None


@dataclass(slots=True)
class ListReader:
    """Reads lists; each key or password file is read and parsed once, however many lines name it."""

    allow: AddressAllowance = NOTHING_EXTRA
    allow_loopback: bool = False
    depth: Depth = Depth.FUNCTION
    source_address: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _opened: dict[tuple[str, ...], Credential] = field(default_factory=dict, init=False)

    def read(self, lines: Iterable[bytes]) -> Iterator[Job | BadLine]:
        """Jobs and bad lines, in the order of the list. Empty lines and those that begin with ``#`` are skipped."""
        header: list[str] | None = None
        for number, text in _texts(lines):
            if isinstance(text, BadLine):
                yield text
            elif header is None and not text.startswith("{"):
                header = _header(text)
                unknown = next((name for name in header if name not in FIELDS), None)
                if unknown is not None:
                    yield _unknown(number, unknown)
                    return  # nothing under a header that cannot be read means what it seems to
            else:
                yield self._job(number, header, text)

    def _job(self, number: int, header: list[str] | None, text: str) -> Job | BadLine:
        try:
            given = _object(text) if header is None or text.startswith("{") else _row(header, text)
            for name in given:
                if name not in FIELDS:
                    return _unknown(number, name)
            return self._made(number, given)
        except TargetError as error:
            return BadLine(number, error.field, error.problem)

    def _made(self, number: int, given: Mapping[str, Any]) -> Job:
        method = _text(given, "method") or "ssh"
        port = _port(given.get("port"), PORTS.get(method, 0))
        host = _host(_text(given, "host") or "")
        platform = _text(given, "platform") or ("asterisk" if method == "ssh" else "3cx")
        credential = self._credential(given)
        target = Target(
            method,
            host,
            port,
            _text(given, "user") or "",
            credential,
            frozenset(_pins(given.get("pins"))),
            None if platform == "none" else platform,
            profile=_text(given, "profile") or "modern",
            allow=self._allowed(host, port),
            trust_first_use=_flag(given, "trust_first_use"),
            source_address=self.source_address,
            path=_text(given, "path") or "/",
            ca_file=_text(given, "ca_file"),
        )
        return Job(Label(number, _id(given.get("id"))), target, self._depth(given, target))

    def _depth(self, given: Mapping[str, Any], target: Target) -> Depth:
        word = _text(given, "depth")
        if word is not None and word not in DEPTHS:
            raise TargetError("depth", "not_offered")
        depth = DEPTHS[word] if word else self.depth
        if target.method == "vnc":
            return max(depth, Depth.LOGIN)  # a visit without a login is what locks us out there
        return depth if target.credential.kind is not CredentialKind.NONE else min(depth, Depth.IDENTIFY)

    def _allowed(self, host: str, port: int) -> AddressAllowance:
        if not self.allow_loopback or not (host == "::1" or host.startswith("127.")):
            return self.allow
        try:
            return AddressAllowance.parse([str(network) for network in self.allow.networks], [(host, port)])
        except ValueError:
            return self.allow  # no address after all: the ladder says so

    def _credential(self, given: Mapping[str, Any]) -> Credential:
        named = [(name, value) for name in BY_REFERENCE if (value := _text(given, name))]
        if not named:
            return NO_CREDENTIAL
        if len(named) > 1:
            raise TargetError(named[1][0], "second_credential")
        name, value = named[0]
        passphrase = _text(given, "passphrase_env") or ""
        known = (name, value, passphrase)
        if known not in self._opened:
            self._opened[known] = self._open(name, value, passphrase)
        return self._opened[known]

    def _open(self, name: str, value: str, passphrase: str) -> Credential:
        if name == "password_env":
            return Credential(CredentialKind.PASSWORD, self._variable(name, value))
        secret = _secret(name, value)
        if name == "password_file":
            return Credential(CredentialKind.PASSWORD, secret.rstrip("\r\n"))
        opening = self._variable("passphrase_env", passphrase) if passphrase else None
        return Credential(CredentialKind.PRIVATE_KEY, secret, opening)

    def _variable(self, name: str, variable: str) -> str:
        if variable not in self.environment:
            raise TargetError(name, "variable_not_set")
        return self.environment[variable]


def _texts(lines: Iterable[bytes]) -> Iterator[tuple[int, str | BadLine]]:
    for number, line in enumerate(lines, 1):
        if number > MOST_LINES:
            yield number, BadLine(number, "list", "too_long")
            return
        if len(line) > LONGEST_LINE:
            yield number, BadLine(number, "line", "too_long")
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            yield number, BadLine(number, "line", "not_utf8")
            continue
        if text and not text.startswith("#"):
            yield number, text


def _unknown(number: int, name: str) -> BadLine:
    """A secret in a list would be read by whoever reads the list, so its name is refused by a word of its own."""
    shown = name if name.isascii() and name.isprintable() and len(name) <= 40 else "field"
    return BadLine(number, shown, "secret_in_list" if name in SECRETS else "unknown_field")


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise TargetError("line", "not_json") from None
    if not isinstance(given, dict):
        raise TargetError("line", "not_an_object")
    return given


def _row(header: list[str], text: str) -> dict[str, Any]:
    cells = _cells(text)
    if len(cells) > len(header):
        raise TargetError("line", "too_many_columns")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}


def _header(text: str) -> list[str]:
    try:
        return [name.strip().lower() for name in _cells(text)]
    except TargetError:
        return [text]


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        raise TargetError("line", "not_csv") from None


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise TargetError(name, "not_text")
    return value or None


def _host(host: str) -> str:
    """An IPv6 address may stand in brackets, as people write it beside a port."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") and ":" in host else host


def _port(value: object, usual: int) -> int:
    if value is None:
        return usual or 22  # an unknown method is refused by its own name
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    if isinstance(value, int):
        return value  # the target refuses True, and what is no port
    raise TargetError("port", "out_of_range")


def _pins(value: object) -> list[str]:
    """A list, or text with semicolons between."""
    if isinstance(value, str):
        return [pin.strip() for pin in value.split(";") if pin.strip()]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(pin, str) for pin in value):
        raise TargetError("pins", "not_text")
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    words: dict[object, bool] = {
        True: True,
        False: False,
        "true": True,
        "false": False,
        "yes": True,
        "no": False,
    }
    if not isinstance(value, bool | str) or value not in words:
        raise TargetError(name, "not_true_or_false")
    return words[value]


def _id(value: object) -> str | None:
    if value is not None and (not isinstance(value, str | int) or len(str(value)) > 200):
        raise TargetError("id", "not_text")
    return None if value is None else str(value)


def _secret(name: str, value: str) -> str:
    try:
        with Path(value).open("rb") as file:
            secret = file.read(LARGEST_SECRET + 1)
    except (OSError, ValueError):
        raise TargetError(name, "cannot_be_read") from None
    if len(secret) > LARGEST_SECRET:
        raise TargetError(name, "too_long")
    try:
        return secret.decode("utf-8")
    except UnicodeDecodeError:
        raise TargetError(name, "not_utf8") from None
