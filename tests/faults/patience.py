"""Waiting for what must come to pass, and giving up with the words of those who should have done it."""

import time
from collections.abc import Callable

from fixtures.served import Process


def until(true: Callable[[], object], *workers: Process, seconds: float = 30) -> None:
    """Wait for something while the workers run. Raises AssertionError with what they last said."""
    ends = time.monotonic() + seconds
    while not true():
        said = [worker.log()[-1500:] for worker in workers] or "waited in vain"
        assert all(worker.running for worker in workers), said
        assert time.monotonic() < ends, said
        time.sleep(0.1)
