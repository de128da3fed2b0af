"""What may stand in a log line. Imports nothing of ours: the process that watches over the server stays small."""

import logging
import re

SECRET_IN_PATH = re.compile(r"(/cal/|/sign-in/password/)[^/\s\"']+")


class HideFeedSecrets(logging.Filter):
    """Takes the secret out of calendar paths and password links; for every handler that sees request paths."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the secret."""
        message = record.getMessage()
        if "/cal/" in message or "/sign-in/password/" in message:
            record.msg, record.args = hide_feed_secret(message), ()
        return True


def hide_feed_secret(text: str) -> str:
    """The text with "/cal/***" for each calendar path."""
    return SECRET_IN_PATH.sub(r"\1***", text)
