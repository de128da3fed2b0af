"""The broken control of the power cut: `ventana serve` on a database that does not wait for its disk.

Settings come from the environment, as for the product.
"""

import sys

from scheduler.store import sqlite
from web.cli import cli

if __name__ == "__main__":
    sqlite.SETTINGS["synchronous"] = (
        1  # NORMAL: the log reaches the disk at a checkpoint, long after the answer
    )
    cli(["serve", "--no-work"])
    sys.exit(0)
