"""A program: one VNC login by vncdotool. Reads JSON on standard input, prints JSON, imports nothing of ours.

{"address", "port", "password", "seconds"} becomes {"login": "accepted", "refused" or "not reached",
"words": how it ended}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import warnings
from importlib import import_module
from typing import Any

VNC_AUTH = 2
Ended = tuple[str, str]


def client_class(base: Any, ended: asyncio.Future[Ended]) -> Any:
    """Vncdotool's client, held to VncAuth: it would take Apple's way where offered, and ask on a terminal."""

    def end(login: str, words: object) -> None:
        if not ended.done():
            ended.set_result((login, str(words)))

    class Client(base):  # type: ignore[misc]  # a class that is only known once Twisted is there
        SUPPORTED_AUTHS = frozenset({VNC_AUTH})

        def vncConnectionMade(self) -> None:  # noqa: N802 - its name is the library's
            end("accepted", "login done")

        def vncAuthFailed(self, reason: object) -> None:  # noqa: N802
            end("refused", f"login refused: {reason!r}")

        def vncProtocolError(self, reason: object) -> None:  # noqa: N802
            end("not reached", reason)

        def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
            end("not reached", "connection lost")

    return Client


async def visit(reactor: Any, told: dict[str, Any]) -> Ended:
    """Connect, log in, leave."""
    client = import_module("vncdotool.client")
    ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
    factory = client.VNCDoToolFactory()
    factory.protocol, factory.password = client_class(client.VNCDoToolClient, ended), told["password"]
    factory.deferred.addErrback(lambda reason: None if ended.done() else _failed(ended, reason))
    connector = reactor.connectTCP(told["address"], told["port"], factory)
    try:
        async with asyncio.timeout(told["seconds"]):
            return await ended
    except TimeoutError:
        return "not reached", "no login in time"
    finally:
        with contextlib.suppress(Exception):
            connector.disconnect()


def _failed(ended: asyncio.Future[Ended], reason: object) -> None:
    ended.set_result(("not reached", str(reason)))


def main() -> None:
    """Twisted's reactor on a loop of asyncio's, which ends when the visit does."""
    warnings.simplefilter("ignore")
    told = json.load(sys.stdin)
    loop = asyncio.new_event_loop()
    import_module("twisted.internet.asyncioreactor").install(loop)
    reactor: Any = import_module("twisted.internet.reactor")
    reactor.startRunning(installSignalHandlers=False)
    login, words = loop.run_until_complete(visit(reactor, told))
    sys.stdout.write(json.dumps({"login": login, "words": words}) + "\n")


if __name__ == "__main__":
    main()
