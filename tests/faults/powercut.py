"""A disk that loses what was not synced, for SQLite: a small C library preloaded into the server."""

import fcntl
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "programs" / "powercut.c"
SECTOR = 512


@dataclass
class Disk:
    """The folder that a server writes to, and what of it would survive."""

    live: Path
    safe: Path
    library: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the server is started with."""
        return {
            "LD_PRELOAD": str(self.library),
            "POWERCUT_FROM": str(self.live),
            "POWERCUT_TO": str(self.safe),
        }

    def cut(self, to: Path, torn: random.Random | None = None) -> tuple[float, float]:
        """Leave in `to` what a power cut now would leave; between which two moments (monotonic) it happened.

        `torn`: a disk may also have written any sectors that nobody had asked it to keep yet; some are taken.
        """
        to.mkdir()
        with (self.safe / ".lock").open("w") as lock:
            began = time.monotonic()
            fcntl.flock(lock, fcntl.LOCK_EX)
            for file in self.safe.glob("*.db*"):
                shutil.copyfile(file, to / file.name)
                if torn is not None:
                    _tear(self.live / file.name, to / file.name, torn)
            return began, time.monotonic()


def _tear(live: Path, survivor: Path, chance: random.Random) -> None:
    whole, kept = live.read_bytes(), bytearray(survivor.read_bytes())
    kept.extend(bytes(max(0, len(whole) - len(kept))))
    for start in range(0, len(whole), SECTOR):
        if whole[start : start + SECTOR] != kept[start : start + SECTOR] and chance.random() < 0.5:
            kept[start : start + SECTOR] = whole[start : start + SECTOR]
    survivor.write_bytes(kept)


def build_disk(live: Path, folder: Path) -> Disk:
    """A disk whose safe side holds the folder's databases as they are now; skips without a C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: the power cut needs a small library (apt install gcc libc6-dev)")
    library, safe = folder / "powercut.so", folder / "safe"
    safe.mkdir()
    options = ("-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread")
    command = [compiler, *options, str(SOURCE), "-o", str(library)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode and "stdio.h" in made.stderr:
        pytest.skip("no C headers: the power cut needs a small library (apt install libc6-dev)")
    assert made.returncode == 0, made.stderr
    for file in live.glob("*.db*"):
        shutil.copyfile(file, safe / file.name)
    return Disk(live, safe, library)
