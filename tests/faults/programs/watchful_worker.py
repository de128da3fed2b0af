"""`ventana worker` that calls another one dead after four silent seconds, so that a short run sees many deaths.

Settings come from the environment, as for the product.
"""

import sys
from functools import partial

from scheduler import bootstrap
from scheduler.engine import Engine
from web.cli import cli

if __name__ == "__main__":
    setattr(bootstrap, "Engine", partial(Engine, heartbeat_seconds=1.0, silent_seconds=4.0))  # noqa: B010
    cli(["worker"])
    sys.exit(0)
