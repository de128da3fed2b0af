"""The durable engine: runs what is due later, and again after a crash. The only room that knows DBOS.

Our rows are the truth; the engine only wakes us. A wake-up carries (kind, row id, rev), nothing else:
`Work.run` re-reads the row, claims it by compare-and-swap, acts, and records the outcome under its claim. So a
wake-up may come late, twice, or after its row moved on, without harm; and one that never comes is planned
again by the reconciler.

Importing this package does not import DBOS, which would slow every command; planning and executing do.
"""

from scheduler.engine.engine import Engine, table_names
from scheduler.engine.lock import EngineBusy
from scheduler.engine.work import Every, Work

__all__ = ["Engine", "EngineBusy", "Every", "Work", "table_names"]
