"""How long single callbacks hold an event loop, in CPU time of its thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, Self


class LoopWatch:
    """Times every callback that a loop of this thread runs while it is open."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.slowest = ""
        self.callbacks = 0
        self._run: Any = None

    def __enter__(self) -> Self:
        self._run = run = asyncio.events.Handle._run
        watched = threading.get_ident()

        def timed(handle: Any) -> None:
            before = time.thread_time()
            run(handle)
            if threading.get_ident() != watched:
                return
            spent = time.thread_time() - before
            self.callbacks += 1
            if spent > self.longest:
                self.longest, self.slowest = spent, repr(handle)[:500]

        asyncio.events.Handle._run = timed  # type: ignore[method-assign, assignment]  # put back below
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.events.Handle._run = self._run  # type: ignore[method-assign]  # as it was
