"""Build everything once, from settings: the one place where the parts of the service meet."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session, sessionmaker

from scheduler import secrets_file
from scheduler.calendars.feed import Sources
from scheduler.clock import Clock, system_clock
from scheduler.context import DeskContext, Installation, Keys, load_desk
from scheduler.engine import Engine, Work
from scheduler.rules.conditions import Conditions, ConditionsError, parse_conditions
from scheduler.rules.intervals import Interval
from scheduler.rules.secret import Secret
from scheduler.rules.slots import Slot
from scheduler.settings import Settings, SettingsInvalid
from scheduler.slots.availability import lead_ledger, open_slots
from scheduler.slots.taken import busy_times
from scheduler.store.engines import open_engine, sessions
from scheduler.store.migrations import migrate, require_current
from scheduler.store.models import Technician
from scheduler.store.trouble import StoreUnusable
from scheduler.store.vault import Vault
from scheduler.waking import Waker
from scheduler.works import Parts, regular_of, works_of


@dataclass(slots=True)
class Service:
    """One running desk: what the web, the worker and the command line are given."""

    settings: Settings
    clock: Clock
    database: Database
    sessions: sessionmaker[Session]
    installation: Installation
    vault: Vault
    works: Mapping[str, Work]
    engine: Engine = field(repr=False)

    @property
    def conditions(self) -> Conditions:
        """The enforced support conditions."""
        return self.installation.conditions

    @property
    def feed_key(self) -> Secret:
        """Key from which calendar addresses are derived."""
        return Secret(self.installation.keys.feed.hex())

    def desk(self, session: Session) -> DeskContext:
        """The desk as it stands in this transaction. Raises NotFound("desk") before one is loaded."""
        return load_desk(session, self.installation)

    def open_slots(self, session: Session, technician: Technician, now: datetime) -> Sequence[Slot]:
        """The technician's open one-hour slots of the next two weeks, for the calendar of slots."""
        desk = self.desk(session)
        earliest = lead_ledger(desk, "maintenance", now).earliest_at
        window = Interval(earliest, earliest + timedelta(days=14))
        return open_slots(session, desk, now, technician, timedelta(hours=1), window, earliest)

    @property
    def calendar_sources(self) -> Sources:
        """What published calendars show besides stored events."""
        return Sources(self.settings.link_base, self.installation.keys.link, self.open_slots, busy_times)

    def run_check(self, check_id: int, rev: int) -> None:
        """Run one check in this thread: for the command line, where no worker is alive."""
        self.works["check"].run(check_id, rev)

    def close(self) -> None:
        """Stop executing and give the connections back."""
        self.engine.stop()
        self.database.dispose()


def build(settings: Settings, clock: Clock = system_clock, make_schema: bool = False) -> Service:
    """Open the store and wire the parts; nothing runs until `engine.start()`.

    `make_schema` creates or updates the tables first. Raises StoreUnusable, StoreTooNew, StoreBehind, VaultError,
    SecretFileUnusable or SettingsInvalid, each saying what to do.
    """
    if make_schema and not settings.database_url:
        _make_folder(settings.folder.absolute())
    if settings.probe_token:
        from scheduler.checks.scraping import read_modules

        read_modules(settings.probe_modules_file)  # a wrong one stops the start, not a scrape
    database = open_engine(settings.store_url)
    if make_schema:
        migrate(database)
    require_current(database)
    vault = Vault.find(settings.vault_key_file or settings.folder / "vault.key", create=True)
    installation = Installation(
        read_conditions(settings.conditions_file),
        _keys(settings),
        settings.link_base,
        organizer=settings.organizer,
        replies=bool(settings.imap_host),
    )
    factory = sessions(database)
    parts = Parts(settings, factory, clock, installation, vault)
    works = {work.kind: work for work in works_of(parts)}
    engine = Engine(database, works.values(), regular_of(parts), clock=clock)
    if make_schema:
        engine.prepare()
    factory.configure(info={"waker": _late(engine.waker)})
    return Service(settings, clock, database, factory, installation, vault, works, engine)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable("folder_unwritable", folder=str(folder), reason=error.strerror) from None


def _late(make: Callable[[], Waker]) -> Waker:
    """A waker made at the first wake: commands that only read never pay for the engine's import."""
    made = cache(make)

    def waker(session: Session, kind: str, row_id: int, rev: int, due_at: datetime) -> None:
        made()(session, kind, row_id, rev, due_at)

    return waker


def read_conditions(path: Path | None) -> Conditions:
    """The shipped conditions, or those of a file. Raises SettingsInvalid naming file and key."""
    try:
        text = (
            path.read_text("utf-8") if path else (files("scheduler") / "conditions.toml").read_text("utf-8")
        )
        return parse_conditions(tomllib.loads(text))
    except (OSError, tomllib.TOMLDecodeError, ConditionsError) as error:
        raise SettingsInvalid(f"VENTANA_CONDITIONS_FILE: {path or 'conditions.toml'}: {error}") from error


def _keys(settings: Settings) -> Keys:
    secret = secrets_file.read_or_create(settings.secret_file or settings.folder / "secret.key")
    derived: dict[str, Any] = {
        use: secrets_file.derive(secret, use) for use in ("link", "feed", "audit", "web")
    }
    return Keys(**derived)
