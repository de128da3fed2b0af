"""A booking's life: its statuses, and which verb leads from where to where.

::

    held ──confirm──▶ confirmed ──start──▶ in_session ──complete──▶ done
     │                  ▲    │                  │
     │    pending ──approve  ├──────no_show─────┴──▶ no_show
     │      │                │
     ├──────┴─────cancel─────┴──▶ cancelled
     │      └─────refuse────────▶ cancelled
     └──────┴─expire──▶ expired

    done, no_show ──reopen──▶ in_session   for some minutes, when it was closed by mistake

A booking is born held (a slot being confirmed), pending (a desk that approves
each one) or confirmed (booked at once). `move` keeps the status: another time
does not make an approved booking unapproved.
"""

from typing import Final, Literal, get_args

from scheduler.rules.refusals import TransitionNotAllowed

Status = Literal["held", "pending", "confirmed", "in_session", "done", "no_show", "cancelled", "expired"]
Verb = Literal[
    "confirm", "approve", "refuse", "move", "start", "complete", "cancel", "no_show", "expire", "reopen"
]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

INITIAL: Final[tuple[Status, ...]] = ("held", "pending", "confirmed")
"""Statuses in which a booking may be written for the first time."""

LIVE: Final[tuple[Status, ...]] = ("held", "pending", "confirmed", "in_session")
"""Statuses that occupy the technician; the database guards exactly these."""

FINAL: Final[tuple[Status, ...]] = ("done", "no_show", "cancelled", "expired")
"""Statuses that free the technician; only `reopen` leaves one of them."""

_NEXT: Final[dict[str, dict[str, Status]]] = {
    "held": {"confirm": "confirmed", "move": "held", "cancel": "cancelled", "expire": "expired"},
    "pending": {
        "approve": "confirmed",
        "refuse": "cancelled",
        "move": "pending",
        "cancel": "cancelled",
        "expire": "expired",
    },
    "confirmed": {"move": "confirmed", "start": "in_session", "cancel": "cancelled", "no_show": "no_show"},
    "in_session": {"complete": "done", "no_show": "no_show"},
    "done": {"reopen": "in_session"},
    "no_show": {"reopen": "in_session"},
    "cancelled": {},
    "expired": {},
}


def allowed_verbs(status: str) -> tuple[Verb, ...]:
    """The verbs that a booking in this status knows, in the order of `VERBS`.

    Raises ValueError for a status that does not exist.
    """
    known = _NEXT.get(status)
    if known is None:
        raise ValueError(f"no such status: {status!r}")
    return tuple(verb for verb in VERBS if verb in known)


def next_status(status: str, verb: str) -> Status:
    """The status after the verb.

    Raises TransitionNotAllowed(status, verb, allowed) if this status does not
    know the verb, ValueError if status or verb do not exist.
    """
    if verb not in VERBS:
        raise ValueError(f"no such verb: {verb!r}")
    allowed = allowed_verbs(status)
    if verb not in allowed:
        raise TransitionNotAllowed(status, verb, allowed)
    return _NEXT[status][verb]
