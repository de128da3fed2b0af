"""How large a fault suite runs: quick within the gate, whole or by a share with `./test faults --release[=SHARE]`."""

import os

SHARE = float(os.environ.get("VENTANA_RELEASE") or 0)
"""0: the gate's size. 1: what a release is proven with; less: that share of it."""


def size(gate: int, release: int) -> int:
    """How many: `gate` inside `./test`, else the wanted share of `release`, never fewer than the gate's."""
    return gate if SHARE == 0 else max(gate, round(release * SHARE))
