"""A machine whose clock somebody sets while a worker runs on it: libfaketime under the whole process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import glob
from pathlib import Path

import pytest

from fixtures.served import Installed, Process

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


@dataclass
class MachineClock:
    """What the wall clock says to one process; what only counts on (CLOCK_MONOTONIC) goes on as it does anywhere."""

    file: Path
    library: str

    def jump(self, to: datetime) -> None:
        """It is this moment now, and goes on from there."""
        ahead = (to - datetime.now(UTC)).total_seconds()
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{ahead:+.3f}\n", "ascii")
        fresh.replace(self.file)  # a reader never sees half a line

    @property
    def environment(self) -> dict[str, str]:
        """What the process is started with."""
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def machine_clock(file: Path) -> MachineClock:
    """A clock that is right until it jumps. Skips without libfaketime."""
    found = glob(LIBRARY)  # noqa: PTH207 - a pattern over the whole machine, not over a folder
    if not found:
        pytest.skip("no libfaketime: a worker's clock cannot be set (apt install libfaketime)")
    made = MachineClock(file, found[0])
    made.jump(datetime.now(UTC))
    return made


@contextmanager
def worker_by(clock: MachineClock, installed: Installed, *program: str) -> Iterator[Process]:
    """A worker that lives by this clock; stopped at the end."""
    process = Process(replace(installed, settings={**installed.settings, **clock.environment}), program)
    try:
        yield process
    finally:
        process.stop()
