"""How DBOS is set up here. Its defaults would lose or repeat work; each constant says what it prevents."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from dbos._schemas.system_database import SystemSchema
from sqlalchemy import Engine as Database
from sqlalchemy import event

from scheduler.store import sqlite
from scheduler.store.engines import open_engine
from scheduler.waking import executor_name

APPLICATION = "ventana"
VERSION = "ventana-1"
"""Pinned: DBOS's default hashes our source, and an upgrade would leave planned work to a version that is gone."""
SCHEMA = "dbos"
TABLES = frozenset({table.name for table in SystemSchema.metadata_obj.tables.values()} | {"dbos_migrations"})

PLAIN_QUEUE = "ventana"
TARGET_QUEUE = "ventana-targets"
"""Work with a far end: one at a time for each, and limits of its own, or slow far ends would hold back a mail."""

AT_ONCE = {"sqlite": {PLAIN_QUEUE: 6, TARGET_QUEUE: 6}, "postgresql": {PLAIN_QUEUE: 16, TARGET_QUEUE: 40}}
"""How much one process runs at a time. Checks wait for far ends most of their time: a thousand of a second each, due in
one minute, keep 17 of them under way. SQLite has one writer: more would only wait for it, and bookings behind.

It is also all that a process claims: what it claimed beyond its threads would wait under its name while another
process is idle, and nobody could tell such work from work that was lost between claim and thread.
"""
THREADS = {kind: 2 * sum(limits.values()) for kind, limits in AT_ONCE.items()}
"""Twice what runs: DBOS parks the thread of work that another run took over until that other one has ended."""

POLL_SECONDS = 0.25
"""How soon due work is seen; DBOS adds up to a second of its own to work that was planned ahead."""
BUSY_MILLISECONDS = 30_000
"""The engine can wait for a writer longer than a person does."""


def engine_database(database: Database) -> Database:
    """Open DBOS's own pool on our database, so that its threads never starve the desk's transactions.

    On SQLite DBOS wants to begin by itself, so the store's engine, which begins for everybody, would break it;
    and DBOS sets no pragma, without which a power cut takes acknowledged work.
    """
    if database.dialect.name == "postgresql":
        return open_engine(database.url)
    own = sa.create_engine(database.url, **sqlite.OPTIONS)
    event.listen(own, "connect", _set_sqlite)
    return own


def _set_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for setting, wanted in {**sqlite.SETTINGS, "busy_timeout": BUSY_MILLISECONDS}.items():
        connection.execute(f"PRAGMA {setting} = {wanted}").close()


def quiet() -> None:
    """Let DBOS speak through our logging, from WARNING on, and never to the console by itself.

    It adds a console handler to its logger unless there is a handler already.
    """
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)


def hush() -> None:
    """Let DBOS say nothing more while it ends, until `quiet`: what it took but had not begun fails inside it, loudly.

    Its row is open and is planned anew; our own lines about unfinished work remain.
    """
    logging.getLogger("dbos").setLevel(logging.CRITICAL)


def create_tables(database: Database) -> None:
    """Create or update DBOS's tables and our queues: schema `dbos` on PostgreSQL, the same file on SQLite.

    Safe to repeat. The queues are made here because a started DBOS takes a second to see a new one.
    """
    quiet()
    DBOS.migrate(database.url.render_as_string(hide_password=False), schema=SCHEMA)
    own = engine_database(database)
    try:
        _register_queues(client(own), AT_ONCE[database.dialect.name])
    finally:
        own.dispose()


def _register_queues(owner: DBOSClient, at_once: Mapping[str, int]) -> None:
    for name, limit in at_once.items():
        owner.register_queue(
            name,
            polling_interval_sec=POLL_SECONDS,
            worker_concurrency=limit,
            partition_concurrency=1 if name == TARGET_QUEUE else None,
        )


def client(database: Database) -> DBOSClient:
    """Make a client that connects to nothing by itself: it writes through the sessions it is given."""
    quiet()
    return DBOSClient(
        system_database_engine=database,
        dbos_system_schema=SCHEMA,
        application_name=APPLICATION,
        serializer=DBOSPortableJSONSerializer(),
        lazy=True,
    )


def configuration(database: Database) -> DBOSConfig:
    """Return DBOS's settings for an executing process; nothing of ours is reported to anyone outside."""
    return {
        "name": APPLICATION,
        "application_version": VERSION,
        "executor_id": executor_name(),
        "system_database_engine": database,
        "dbos_system_schema": SCHEMA,
        "max_executor_threads": THREADS[database.dialect.name],
        "use_listen_notify": False,
        "scheduler_polling_interval_sec": 3600.0,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
    }


def refuse_foreign_settings() -> None:
    """Raise RuntimeError where DBOS__CLOUD is set, which would send our work to the service of DBOS's makers.

    DBOS reads its environment before our configuration.
    """
    if os.environ.get("DBOS__CLOUD") == "true":
        raise RuntimeError("unset DBOS__CLOUD: the engine runs on this desk's own database only")
