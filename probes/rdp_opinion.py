"""xfreerdp as a second opinion about an RDP server, where it is installed: it shares no code with our client.

``+auth-only`` proves a login by NLA and nothing else (without NLA it ends well for any password), so NLA is all that
it may speak. It wants a screen even for that: Xvfb, for as long as the question takes. The password goes by standard
input. Unlike ours it ends by handing the password over, but only to a server that has proven to know it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from probes.logins import Ending
from probes.opinions import Opinion
from probes.programs import Answer, ask_program
from probes.report import Facts
from probes.target import Target

PROGRAMS = ("xfreerdp", "xfreerdp3")
SCREEN = ("Xvfb", "-displayfd", "1", "-screen", "0", "64x64x16", "-nolisten", "tcp")
LONGEST_PASSWORD = 200
ENDED_AS = re.compile(r"ERRCONNECT_\w+")
# These end before anybody was named; of every other end the credential may have been part.
BEFORE_LOGIN = (
    "DNS_ERROR",
    "DNS_NAME_NOT_FOUND",
    "CONNECT_FAILED",
    "TLS_CONNECT_FAILED",
    "SECURITY_NEGO_CONNECT_FAILED",
)
JUDGED = re.compile(
    r"ERRCONNECT_(LOGON_FAILURE|WRONG_PASSWORD|ACCESS_DENIED|ACCOUNT_\w+|PASSWORD_\w+|LOGON_TYPE\w+)"
)


def program() -> str | None:
    """The path of xfreerdp, None where it or its screen is missing."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    return found if shutil.which(SCREEN[0]) else None


def can_ask(target: Target, facts: Facts) -> bool:
    """Never for a server that has already chosen something else than NLA, nor a password that is no single line."""
    password = target.credential.value or ""
    one_line = password.isprintable() and len(password) <= LONGEST_PASSWORD
    by_nla = facts.get("protocol") in (None, "NLA")
    return by_nla and one_line and bool(target.username) and program() is not None


async def ask(address: str, port: int, target: Target, seconds: float) -> Opinion | None:
    """One login by NLA, held to the certificates that a person has confirmed, if any."""
    words = (target.credential.value or "").encode() + b"\n"
    with tempfile.TemporaryDirectory(prefix="probe-") as home:
        async with _screen(home, seconds / 3) as display:
            if display is None:
                return None
            environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "DISPLAY": display}
            command = _command(address, port, target)
            return _judged(await ask_program(command, words, seconds * 2 / 3, environment))


def _command(address: str, port: int, target: Target) -> list[str]:
    domain, _, name = target.username.rpartition("\\")
    host = f"[{address}]" if ":" in address else address
    pins = ",".join(f"fingerprint:sha256:{_colons(pin)}" for pin in sorted(target.pins))
    return [
        program() or PROGRAMS[0],
        f"/v:{host}:{port}",
        f"/u:{name}",
        *([f"/d:{domain}"] if domain else []),
        f"/cert:deny,{pins}" if pins else "/cert:ignore",
        "/sec:nla",
        "+auth-only",
        "/from-stdin:force",
        "/log-level:ERROR",
    ]


def _colons(pin: str) -> str:
    return ":".join(re.findall("..", pin.removeprefix("sha256:")))


def _judged(answer: Answer | None) -> Opinion | None:
    if answer is None:
        return None
    if answer.status == 0:
        return Opinion(got_through=True, words="login done", ending="accepted")
    ends = ENDED_AS.findall(answer.said)
    judged = JUDGED.search(answer.said) is not None
    words = ends[0] if ends else f"exit status {answer.status}"
    early = bool(ends) and all(end.removeprefix("ERRCONNECT_") in BEFORE_LOGIN for end in ends)
    ending: Ending = "withdrawn" if early else "refused"
    return Opinion(got_through=judged, words=words, ending=ending)


@asynccontextmanager
async def _screen(home: str, seconds: float) -> AsyncIterator[str | None]:
    """A screen of our own by its name; None where it does not come up in time."""
    nothing = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        *SCREEN,
        stdin=nothing,
        stdout=asyncio.subprocess.PIPE,
        stderr=nothing,
        cwd=home,
        start_new_session=True,
    )
    try:
        number = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                number = (await server.stdout.readline()).strip() if server.stdout is not None else b""
        yield f":{number.decode()}" if number.isdigit() else None
    finally:
        with suppress(ProcessLookupError):
            server.terminate()  # it has a lock and a socket to remove
        await server.wait()
