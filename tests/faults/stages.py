"""The stages before a session at which its access is tried, and how many checks of one have their outcome."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.store.engines import read
from scheduler.store.models import Check

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
STAGES = {"h24": 24 * HOUR, "h8": 8 * HOUR, "h2": 2 * HOUR, "m30": 30 * MINUTE}
PATIENCE = 90
"""Seconds in which what a stage asks for is done."""


def done(sessions: sessionmaker[Session], stage: str) -> int:
    """How many checks of a stage are done."""
    query = select(func.count()).select_from(Check).where(Check.stage == stage, Check.state == "done")
    with read(sessions) as session:
        return session.scalar(query) or 0
