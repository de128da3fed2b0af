"""Who outside is told: webhooks made, tested and ended by dispatchers."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.secret import Secret
from scheduler.rules.text import clean_text
from scheduler.store.models import Webhook, WebhookDelivery
from scheduler.store.vault import Vault
from scheduler.waking import wake
from scheduler.webhooks.emitting import EVENTS, KIND, active, emit
from scheduler.webhooks.signing import new_secret

MOST = 10
URL_LENGTH = 500
SHOWN = 50


def add(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    vault: Vault,
    url: str,
    events: Collection[str],
) -> tuple[Webhook, Secret]:
    """A webhook and its secret, which is shown now and never again.

    Raises NotAllowed, InvalidInput("url", not_a_url | too_many) or InvalidInput("events", not_offered).
    """
    _require_dispatcher(actor)
    if unknown := set(events) - set(EVENTS):
        raise InvalidInput("events", "not_offered", given=min(unknown)[:40])
    if len(active(session)) >= MOST:
        raise InvalidInput("url", "too_many", limit=MOST)
    secret = new_secret()
    row = Webhook(url=clean_url(url), secret=b"", events=sorted(events), created_at=now)
    session.add(row)
    session.flush()
    row.secret = vault.seal(secret, "webhook", row.id, "secret", row.secret_gen)
    _audit(session, desk, now, actor, "webhook.add", row)
    return row, secret


def clean_url(text: str) -> str:
    """An https address without a login in it. Whether it may be reached is judged at each sending.

    Raises InvalidInput("url", not_a_url).
    """
    url = clean_text("url", text, URL_LENGTH, required=True)
    try:
        parts = urlsplit(url)
        fits = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not url.isascii():
        raise InvalidInput("url", "not_a_url", example="https://erp.example/ventana")
    return url


def end(session: Session, desk: DeskContext, now: datetime, actor: Actor, webhook_id: int) -> None:
    """Tell it nothing more; what was waiting is given up. Raises NotAllowed, NotFound("webhook")."""
    row = _find(session, actor, webhook_id)
    row.ended_at = now
    for waiting in session.scalars(
        select(WebhookDelivery).where(
            WebhookDelivery.webhook_id == row.id, WebhookDelivery.state == "waiting"
        )
    ):
        waiting.state, waiting.last_error = "dead", "ended"
    session.flush()
    _audit(session, desk, now, actor, "webhook.end", row)


def test(session: Session, now: datetime, actor: Actor, webhook_id: int) -> None:
    """Send it an event of the kind "test". Raises NotAllowed, NotFound("webhook")."""
    row = _find(session, actor, webhook_id)
    key = f"test:{row.id}:{now.isoformat()}"
    emit(session, now, row, "test", key, {"message": "Ventana"})


def retry(session: Session, now: datetime, actor: Actor, delivery_id: int) -> None:
    """Take a dead delivery up again, from its first wait. Raises NotAllowed, NotFound("delivery")."""
    _require_dispatcher(actor)
    row = session.get(WebhookDelivery, delivery_id)
    if row is None or row.state != "dead" or row.webhook.ended_at is not None:
        raise NotFound("delivery")
    row.state, row.attempts, row.due_at = "waiting", 0, now
    session.flush()
    wake(session, KIND, row.id, 0, now)


def latest(session: Session) -> list[WebhookDelivery]:
    """The newest deliveries of all webhooks."""
    return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id.desc()).limit(SHOWN)))


def _find(session: Session, actor: Actor, webhook_id: int) -> Webhook:
    _require_dispatcher(actor)
    row = session.get(Webhook, webhook_id)
    if row is None or row.ended_at is not None:
        raise NotFound("webhook")
    return row


def _require_dispatcher(actor: Actor) -> None:
    if actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("dispatcher")


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, action: str, row: Webhook
) -> None:
    # Only the host: the rest of an address is often a secret of the receiver's.
    facts: dict[str, Any] = {"host": urlsplit(row.url).hostname, "events": list(row.events)}
    audit.record(session, desk.installation, now, actor, action, f"webhook:{row.id}", **facts)
