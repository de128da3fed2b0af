"""Logins tried at customers' doors, written down before each is tried."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.store.base import Base
from scheduler.store.columns import one_of


class LoginAttempt(Base):
    """One login at an address and port, whoever's door it is: no credential, only that one may have been sent.

    `ending` is empty until it is settled; a row that stays so was cut short and counts as refused.
    """

    __tablename__ = "login_attempt"
    __table_args__ = (
        CheckConstraint(one_of("ending", "accepted", "refused", "withdrawn"), name="ending"),
        Index("ix_login_attempt_address_port", "address", "port", "started_at"),
        Index("ix_login_attempt_check_id", "check_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int | None] = mapped_column(ForeignKey("access_check.id"))
    executor: Mapped[str]
    """The token of the run that tried: another run of the same check is another try."""
    address: Mapped[str]
    port: Mapped[int]
    guessable: Mapped[bool]
    """Whether a wrong one could lock an account or our address out."""
    started_at: Mapped[datetime]
    ending: Mapped[str | None]
