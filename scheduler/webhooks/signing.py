"""Signatures of Standard Webhooks: HMAC-SHA256 over id, timestamp and body, so that none can be exchanged."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from scheduler.rules.secret import Secret

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> Secret:
    """A secret in the form that receivers' libraries take."""
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def signed_headers(secret: Secret, message_id: str, sent_at: datetime, body: bytes) -> Mapping[str, str]:
    """webhook-id, webhook-timestamp (Unix seconds) and webhook-signature of this try."""
    stamp = str(int(sent_at.timestamp()))
    key = base64.b64decode(secret.reveal().removeprefix(PREFIX))
    seal = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(seal).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}
