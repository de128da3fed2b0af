"""Who acts: carried through every verb, written into the audit log, the ledger and the booking."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the system itself, or an entry of the waiting list for which a slot is kept.

    `customer_id` is set for contacts and entries, and walls them in.
    """

    kind: Literal["customer", "technician", "dispatcher", "system", "waiting"]
    id: int
    name: str
    customer_id: int | None = None

    @property
    def staff(self) -> bool:
        """True for people of the desk."""
        return self.kind in ("technician", "dispatcher")

    def __str__(self) -> str:
        return self.kind if self.kind == "system" else f"{self.kind}:{self.id}"


SYSTEM = Actor("system", 0, "system")
