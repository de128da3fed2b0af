"""How large a fault suite runs: quick within the gate, whole or by a share with `./test faults --release[=SHARE]`."""

import os

SHARE = float(os.environ.get("VENTANA_RELEASE") or 0)
"""0: the gate's size. 1: what a release is proven with; less: that share of it."""
FIRST_ROUND = int(os.environ.get("VENTANA_FIRST_ROUND") or 0)
"""Where a history begins to count its rounds, each of which is drawn by its number: so machines share a release."""


def size(gate: int, release: int) -> int:
    """How many: `gate` inside `./test`, else the wanted share of `release`, never fewer than the gate's."""
    return gate if SHARE == 0 else max(gate, round(release * SHARE))
