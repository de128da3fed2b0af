"""What may stand in a log line. Imports nothing of ours: the process that watches over the server stays small."""

import logging
import re

SECRET_IN_PATH = re.compile(r"(/cal/|/sign-in/password/)[^/\s\"']+|(/a/)[\w-]{16,}")
"""Calendar addresses, links that set a password, and the links with which customers manage a session."""


class HideFeedSecrets(logging.Filter):
    """Takes the secret out of calendar paths and password links; for every handler that sees request paths."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the secret."""
        message = record.getMessage()
        if SECRET_IN_PATH.search(message):
            record.msg, record.args = hide_feed_secret(message), ()
        return True


def hide_feed_secret(text: str) -> str:
    """The text with "/cal/***" for each calendar path, "/a/***" for each session's."""
    return SECRET_IN_PATH.sub(r"\1\2***", text)


class OneLine(logging.Formatter):
    """Escapes control characters of the message; a traceback keeps its own lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        text = super().formatMessage(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

    def format(self, record: logging.LogRecord) -> str:
        """The whole line with its traceback, whose last words may be an error that quotes a path."""
        return hide_feed_secret(super().format(record))
