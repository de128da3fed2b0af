"""What the engine does for this desk: each kind of work with who does it, and what is done every so often.

Who does it is imported when it is first done: a probe's or a fetcher's libraries cost 0.2 s, and only a process that
executes should pay for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from scheduler.bookings import approving
from scheduler.bookings.booking import release_for_red
from scheduler.busy import turns as busy_turns
from scheduler.checks import planning
from scheduler.clock import Clock
from scheduler.context import Installation
from scheduler.customers import import_turns
from scheduler.engine import Every, Work
from scheduler.mailing import outbox, reminders
from scheduler.operation import upkeep
from scheduler.settings import Settings
from scheduler.store.vault import Vault
from scheduler.waiting import offering
from scheduler.webhooks import emitting
from scheduler.webhooks import turns as webhook_turns

if TYPE_CHECKING:
    from scheduler.fetching import Fetcher


@dataclass(frozen=True, slots=True)
class Parts:
    """What the works are done with."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
    installation: Installation
    vault: Vault


def works_of(parts: Parts) -> Sequence[Work]:
    """Everything that is woken by a row."""
    mails = outbox.Outbox(parts.sessions, parts.clock, parts.settings)
    return [
        Work(planning.KIND, partial(_check, parts), planning.overdue, planning.far_end),
        Work(outbox.KIND, mails.run, mails.overdue),
        Work(busy_turns.KIND, partial(_read_busy, parts), busy_turns.overdue, busy_turns.far_end),
        Work(emitting.KIND, partial(_tell, parts), webhook_turns.overdue, webhook_turns.far_end),
        Work(import_turns.KIND, partial(_import_customers, parts), import_turns.overdue),
    ]


def regular_of(parts: Parts) -> Sequence[Every]:
    """Everything that is done every so many seconds."""
    sessions, clock = parts.sessions, parts.clock
    inbox = [Every("read_replies", 60.0, partial(_read_replies, parts))] if parts.settings.imap_host else []
    return [
        *inbox,
        Every("expire_holds", 30.0, partial(upkeep.expire_holds, sessions, clock)),
        Every("decide_overdue", 30.0, partial(approving.decide_overdue, sessions, clock, parts.installation)),
        Every("offer_slots", 5.0, partial(offering.sweep, sessions, clock, parts.installation)),
        Every("remind", 60.0, partial(reminders.write_due, sessions, clock, parts.installation)),
        Every(
            "renew_calendars", 3600.0, partial(upkeep.renew_calendars, sessions, clock, parts.installation)
        ),
        Every("forget", 3600.0, partial(upkeep.forget, sessions, clock)),
    ]


def _check(parts: Parts, check_id: int, rev: int) -> datetime | None:
    from scheduler.checks.attempts import Allowance
    from scheduler.checks.running import CheckRunner
    from scheduler.checks.targets import Doors

    settings = parts.settings
    doors = Doors(parts.vault, settings.vpn_networks, settings.loopback_ports)
    limits = Allowance(settings.logins_per_target, settings.refusals_per_target)
    runner = CheckRunner(parts.sessions, parts.clock, parts.installation, doors, release_for_red, limits)
    return runner.run(check_id, rev)


def _read_busy(parts: Parts, calendar_id: int, rev: int) -> datetime | None:
    from scheduler.busy.polling import Poller

    poller = Poller(parts.sessions, parts.clock, parts.installation, parts.vault, _fetcher(parts))
    return poller.run(calendar_id, rev)


def _read_replies(parts: Parts) -> None:
    from scheduler.replies.polling import InboxPoller

    InboxPoller(parts.sessions, parts.clock, parts.installation, parts.settings).run()


def _tell(parts: Parts, delivery_id: int, rev: int) -> datetime | None:
    from scheduler.webhooks.delivering import Courier

    return Courier(parts.sessions, parts.clock, parts.vault, _fetcher(parts)).run(delivery_id, rev)


def _import_customers(parts: Parts, import_id: int, rev: int) -> datetime | None:
    from scheduler.customers.import_runs import Importer

    return Importer(parts.sessions, parts.clock, parts.installation).run(import_id, rev)


def _fetcher(parts: Parts) -> "Fetcher":
    from scheduler.checks.targets import allowance
    from scheduler.fetching import Fetcher

    return Fetcher(allowance(parts.settings.vpn_networks, parts.settings.loopback_ports))
