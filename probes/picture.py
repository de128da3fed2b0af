"""The picture of a screen as evidence: who could not take it, and the step that carries it."""

from __future__ import annotations

import asyncio
from typing import Any

from probes.report import Outcome, Step, finding
from probes.wire.canvas import Canvas

MOST_PIXELS = 16_777_216
"""Larger screens are refused: 64 MB over a customer's line is no longer a quick look."""


class NoPicture(Exception):
    """There is none, for a reason (a stable word) and facts; only the ladder sees it."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts: dict[str, Any] = facts


def canvas_for(width: int, height: int) -> Canvas:
    """Where the lines of a screen go; raises NoPicture("too_large")."""
    if width * height > MOST_PIXELS:
        raise NoPicture("too_large", width=width, height=height)
    return Canvas(width, height)


async def taken(canvas: Canvas, facts: dict[str, Any], ms: float) -> Step:
    """The step with the picture. Drawn in a thread: it would hold up everybody else's probes."""
    picture = await asyncio.to_thread(canvas.picture)
    shown = {"width": picture.width, "height": picture.height, "look": picture.look}
    return Step("picture", Outcome.OK, None, {**facts, **shown}, ms, picture.png)


def not_taken(no: NoPicture, facts: dict[str, Any], ms: float) -> Step:
    """The step that says why there is none: never red, since the access itself has been proven before."""
    code = "picture_not_available" if no.reason == "not_installed" else "picture_failed"
    return finding("picture", code, {**facts, **no.facts, "reason": no.reason}, ms)
