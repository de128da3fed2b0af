"""CPU of vncdotool's bare login up to ServerInit: prints the median in milliseconds.

python -m benchmarks.vncdotool_login PORT PASSWORD ROUNDS
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
import warnings
from importlib import import_module
from typing import Any

WARM_UP = 10


async def _login(reactor: Any, port: int, password: str) -> None:
    factory = import_module("vncdotool.client").VNCDoToolFactory()
    factory.password = password
    reactor.connectTCP("127.0.0.1", port, factory)
    client = await factory.deferred.asFuture(asyncio.get_running_loop())
    client.transport.loseConnection()
    while client.transport.connected:  # noqa: ASYNC110 - Twisted tells nobody of ours
        await asyncio.sleep(0)


async def _measure(reactor: Any, port: int, password: str, rounds: int) -> float:
    spent = []
    for turn in range(rounds + WARM_UP):
        before = time.process_time()
        await _login(reactor, port, password)
        if turn >= WARM_UP:
            spent.append((time.process_time() - before) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Twisted's reactor runs on an asyncio loop, so that both clients wait in the same way."""
    port, password, rounds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    warnings.simplefilter("ignore")
    loop = asyncio.new_event_loop()
    import_module("twisted.internet.asyncioreactor").install(loop)
    reactor: Any = import_module("twisted.internet.reactor")
    reactor.startRunning(installSignalHandlers=False)
    print(loop.run_until_complete(_measure(reactor, port, password, rounds)))


if __name__ == "__main__":
    main()
