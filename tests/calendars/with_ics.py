"""The events of each file as ics.py understands them: UID, start and end in seconds since 1970, as JSON."""

import json
import sys
from pathlib import Path

from ics import Calendar  # type: ignore[import-untyped]  # it has no types


def main(*paths: str) -> None:
    """Print a list for each file."""
    answers = []
    for path in paths:
        calendar = Calendar(Path(path).read_bytes().decode())
        answers.append(
            [(event.uid, event.begin.int_timestamp, event.end.int_timestamp) for event in calendar.events]
        )
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
