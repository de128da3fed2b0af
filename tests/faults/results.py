"""What the fault suites did at the size of a release, summed over runs and machines, as rows of a table.

python -m tests.faults.results [FILE …]     without a file: var/fault-results.jsonl
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.faults.conftest import RESULTS

NAMES = ("promise", "what", "database")
NOT_SUMMED = ("at", "late_p50", "late_p99")


def summed(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], Counter[str]]:
    """The counts of each suite on each database, added up; `runs` counts the rows."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows:
        counts = found.setdefault(tuple(str(row[name]) for name in NAMES), Counter())
        counts["runs"] += 1
        for name, value in row.items():
            if name not in (*NAMES, *NOT_SUMMED):
                counts[name] += value
    return found


def table(found: Mapping[tuple[str, ...], Counter[str]]) -> Iterator[str]:
    """One line for each, by promise."""
    for (promise, what, database), counts in sorted(found.items()):
        said = ", ".join(f"{name} {round(value):,}" for name, value in counts.items())
        yield f"| {promise} | {what} | {database} | {said} |"


def read_rows(files: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """Every row that was kept. Raises SystemExit naming a file that cannot be read."""
    for file in files:
        try:
            yield from map(json.loads, file.read_text("utf-8").splitlines())
        except (OSError, ValueError) as problem:
            raise SystemExit(f"{file}: {problem}; run `./test faults --release` first") from None


if __name__ == "__main__":
    sys.stdout.write("\n".join(table(summed(read_rows(map(Path, sys.argv[1:] or [str(RESULTS)]))))) + "\n")
