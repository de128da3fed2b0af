"""vncdotool as a second opinion about a VNC server, where it is installed: it shares no code with our client.

In a process of its own, since it brings Twisted. It can log in by VncAuth alone, and VNC servers lock out whoever
comes without logging in. So it is asked only where we have read that VncAuth is offered, and takes no other way.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from probes.opinions import Opinion
from probes.programs import ask_program
from probes.report import Facts
from probes.target import Target

VISIT = Path(__file__).with_name("vncdotool_visit.py")


def can_ask(target: Target, facts: Facts) -> bool:
    """Never with pins: what was confirmed is a certificate, and VncAuth shows none."""
    password = target.credential.value or ""
    speaks = "VncAuth" in facts.get("offered", ()) and not target.pins
    return speaks and password.isascii() and find_spec("vncdotool") is not None


async def ask(address: str, port: int, target: Target, seconds: float) -> Opinion | None:
    """One login by VncAuth; a visit that ends before it counts as a refused one, as the server counts it."""
    told = {"address": address, "port": port, "password": target.credential.value, "seconds": seconds}
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    command = [sys.executable, "-P", str(VISIT)]
    answer = await ask_program(command, json.dumps(told).encode(), seconds, environment)
    if answer is None or answer.status:
        return None
    found = json.loads(answer.said.splitlines()[-1])
    words = "".join(character for character in str(found["words"])[:200] if character.isprintable())
    return Opinion(
        found["login"] != "not reached", words, "accepted" if found["login"] == "accepted" else "refused"
    )
