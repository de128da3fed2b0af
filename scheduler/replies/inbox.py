"""The mailbox that answers to invitations come to, by IMAP (RFC 3501).

Mails are read without being marked, and only those that answered something are marked as seen afterwards: all others
are somebody else's. Every wait has an end, certificates are verified, and no mail larger than the limit is fetched.
"""

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import certifi

from scheduler.replies.reading import LONGEST_MAIL
from scheduler.settings import Settings

TIME_OUT_SECONDS = 15.0
"""For each answer of the server."""
PATIENCE_SECONDS = 90.0
"""For all of one visit; what is left over is read at the next."""
MOST_MAILS = 50
MOST_BYTES = 8 * LONGEST_MAIL
"""Of one visit."""
LOOK_BACK = timedelta(days=30)
"""How old mails may be that are read when a mailbox is visited for the first time."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_UID = re.compile(rb"UID (\d+)")

_CODES: Mapping[type[Exception], str] = {
    TimeoutError: "timeout",
    ssl.SSLError: "tls",
    socket.gaierror: "dns",
    OSError: "unreachable",
    imaplib.IMAP4.readonly: "read_only",
    imaplib.IMAP4.abort: "broken",
    imaplib.IMAP4.error: "",
    # What a server says that keeps to no format ends in the library's own conversions.
    ValueError: "broken",
    LookupError: "broken",
}


class InboxFailed(Exception):
    """The mailbox cannot be read, with a stable code.

    Codes: dns, unreachable, tls, no_starttls, timeout, login, folder, read_only, broken.
    """

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(code)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail by its number in the folder; without content where it is too large for an answer."""

    uid: int
    content: bytes


class _Bounded:
    """Refuses a literal larger than any that is asked for: the length is the server's word."""

    def read(self, size: int) -> bytes:
        if size > LONGEST_MAIL + 1024:
            raise imaplib.IMAP4.abort("a literal longer than asked for")
        content: bytes = super().read(size)  # type: ignore[misc]  # of the class that stands after this one
        return content


class _Plain(_Bounded, imaplib.IMAP4):
    pass


class _Encrypted(_Bounded, imaplib.IMAP4_SSL):
    pass


@contextmanager
def open_inbox(settings: Settings) -> Iterator["Inbox"]:
    """Sign in and open the folder of the settings. Raises InboxFailed, also for what fails inside the block."""
    with _told_as("broken"):
        client = _connected(settings)
        try:
            with _told_as("login"):
                _sign_in(client, settings.imap_user, settings.imap_password.get_secret_value())
            with _told_as("folder"):
                _select(client, settings.imap_folder)
            yield Inbox(client)
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()


class Inbox:
    """An open folder."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client
        self._until = time.monotonic() + PATIENCE_SECONDS
        self.generation = self._told("UIDVALIDITY")
        """While it is the same, numbers of mails mean the same (RFC 3501 §2.3.1.1)."""
        self.newest = max(self._told("UIDNEXT") - 1, 0)
        """No mail that is there has a higher number."""

    def after(self, last: int | None, now: datetime) -> Iterator[Fetched]:
        """The next mails after number `last`, oldest first; None: those of the last month."""
        numbers = self._numbers(last, now)[:MOST_MAILS]
        sizes, taken = self._sizes(numbers), 0
        for number in numbers:
            size = sizes.get(number, 0)
            if taken + size > MOST_BYTES or time.monotonic() > self._until:
                return
            fits = 0 < size <= LONGEST_MAIL
            taken += size if fits else 0
            yield Fetched(number, self._content(number) if fits else b"")

    def mark_seen(self, numbers: Sequence[int]) -> None:
        """Flag these mails as read."""
        if numbers:
            self._ask("STORE", _set(numbers), "+FLAGS.SILENT", r"(\Seen)")

    def _told(self, name: str) -> int:
        """A number that the server told when the folder was opened; 0 where it did not."""
        answer = self._client.response(name)[1]
        return int(answer[0] or 0) if answer else 0

    def _numbers(self, last: int | None, now: datetime) -> list[int]:
        if last is None:
            day = now - LOOK_BACK
            # Not strftime: IMAP's months are English in every locale.
            wanted = ("SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}")
        else:
            wanted = ("UID", f"{last + 1}:*")
        found = b" ".join(line for line in self._ask("SEARCH", *wanted) if isinstance(line, bytes))
        # "n:*" always names the newest mail, also one before n (RFC 3501 §6.4.8).
        return sorted({number for number in map(int, found.split()) if last is None or number > last})

    def _sizes(self, numbers: Sequence[int]) -> dict[int, int]:
        if not numbers:
            return {}
        sizes = {}
        for line in self._ask("FETCH", _set(numbers), "(RFC822.SIZE)"):
            uid, size = (
                pattern.search(line) if isinstance(line, bytes) else None for pattern in (_UID, _SIZE)
            )
            if uid and size:
                sizes[int(uid[1])] = int(size[1])
        return sizes

    def _content(self, number: int) -> bytes:
        """The mail without marking it as seen; empty when it went away meanwhile."""
        for line in self._ask("FETCH", str(number), f"(BODY.PEEK[]<0.{LONGEST_MAIL}>)"):
            if isinstance(line, tuple):
                return bytes(line[1])
        return b""

    def _ask(self, command: str, *arguments: str) -> list[Any]:
        status, lines = self._client.uid(command, *arguments)
        if status != "OK":
            raise InboxFailed("broken", command)
        return [line for line in lines if line is not None]


def _set(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _connected(settings: Settings) -> imaplib.IMAP4:
    host, port = settings.imap_host, settings.imap_port
    if settings.imap_security == "tls":
        return _Encrypted(host, port, ssl_context=_trust(), timeout=TIME_OUT_SECONDS)
    client = _Plain(host, port, timeout=TIME_OUT_SECONDS)
    if settings.imap_security == "starttls":
        try:
            with _told_as("no_starttls"):
                client.starttls(ssl_context=_trust())
        except BaseException:
            client.shutdown()
            raise
    return client


def _trust() -> ssl.SSLContext:
    """The system's authorities; a bare machine has none, so those of certifi."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context


def _sign_in(client: imaplib.IMAP4, user: str, password: str) -> None:
    """By AUTHENTICATE PLAIN where it is offered: LOGIN has no letters beyond ASCII (RFC 3501 §6.2.3)."""
    if "AUTH=PLAIN" in client.capabilities:
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    elif (user + password).isascii():
        client.login(user, password)
    else:
        raise InboxFailed("login", "the server takes only ASCII")


def _select(client: imaplib.IMAP4, folder: str) -> None:
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    status, _ = client.select(f'"{quoted}"')
    if status != "OK":
        raise InboxFailed("folder", folder)


@contextmanager
def _told_as(refused: str) -> Iterator[None]:
    """Turn what the connection may raise into InboxFailed; a plain refusal of the server is told as `refused`."""
    try:
        yield
    except tuple(_CODES) as error:
        # The first that fits, as the table is ordered: a certificate's error is one of the system's, too.
        code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
        raise InboxFailed(code or refused, _reason(error)) from None


def _reason(error: Exception) -> str:
    """What a certificate's check or the system says; what the server says is not repeated."""
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason or "")
    return (error.strerror or "") if isinstance(error, OSError) else ""
