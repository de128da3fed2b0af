"""Host keys of doors: remembered when first seen, confirmed by a person, never replaced silently."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from probes.report import Step
from scheduler.actor import Actor
from scheduler.rules.refusals import NotFound
from scheduler.store.models import AccessPoint, PinnedIdentity


def remember(session: Session, point: AccessPoint, steps: Iterable[Step], now: datetime) -> None:
    """Keep the host key or certificate that a probe saw, unconfirmed, so that a person can be asked "is it yours?"."""
    for step in steps:
        identity = _identity_in(step)
        if identity is not None and _find(session, point.id, identity) is None:
            pin = PinnedIdentity(
                access_point_id=point.id, public_key=identity, state="seen", first_seen_at=now
            )
            pin.fingerprint = str(step.facts.get("fingerprint", identity))
            session.add(pin)


def _identity_in(step: Step) -> str | None:
    """The SSH key line, or "sha256:…" of a TLS certificate, which is its own fingerprint."""
    if step.name == "host_key":
        key = step.facts.get("public_key")
        return key if isinstance(key, str) else None
    seen = step.facts.get("fingerprint")
    return (
        seen
        if step.name in ("tls", "security") and isinstance(seen, str) and seen.startswith("sha256:")
        else None
    )


def confirm(
    session: Session, point: AccessPoint, fingerprint: str, actor: Actor, now: datetime
) -> PinnedIdentity:
    """A person says that this host key is theirs: the door's other keys are forgotten. Raises NotFound."""
    pin = next((pin for pin in point.pins if pin.fingerprint == fingerprint), None)
    if pin is None:
        raise NotFound("host_key")
    for other in point.pins:
        if other is not pin:
            session.delete(other)
    pin.state, pin.confirmed_at, pin.confirmed_by = "confirmed", now, str(actor)
    return pin


def confirm_line(session: Session, point: AccessPoint, public_key: str, by: str, now: datetime) -> None:
    """Pin a host key, or a certificate as ``sha256:…``, that is known by other means: a list, a lab's own server."""
    session.execute(delete(PinnedIdentity).where(PinnedIdentity.access_point_id == point.id))
    pin = PinnedIdentity(
        access_point_id=point.id, public_key=public_key, fingerprint=_fingerprint(public_key)
    )
    pin.state, pin.first_seen_at, pin.confirmed_at, pin.confirmed_by = "confirmed", now, now, by
    session.add(pin)
    session.flush()


def _fingerprint(public_key: str) -> str:
    if public_key.startswith("sha256:"):  # a certificate's pin is its fingerprint
        return public_key
    digest = hashlib.sha256(base64.b64decode(public_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _find(session: Session, access_point_id: int, public_key: str) -> PinnedIdentity | None:
    return session.scalar(
        select(PinnedIdentity).where(
            PinnedIdentity.access_point_id == access_point_id, PinnedIdentity.public_key == public_key
        )
    )
