"""Fuzz the parsers by coverage with atheris, where it is installed (`pip install atheris`; not in the lock).

    python -m tests.fuzz [seconds]

Begins from the seeds and ends with status 0 when nothing was found; a crash leaves its bytes in `crash-…`.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the target for so many seconds, 60 if not told."""
    try:
        atheris: Any = import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    with atheris.instrument_imports(include=["probes.wire"]):
        parsers = import_module("tests.fuzz.parsers")
    seeds = import_module("tests.fuzz.seeds").SEEDS
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
        atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", corpus], parsers.try_all)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
