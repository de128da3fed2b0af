"""Another program, asked one question: bounded in time and words, and gone afterwards with all that it started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program ended, and the beginning of what it said on both of its outputs."""

    status: int
    said: str


async def ask_program(
    command: Sequence[str], words: bytes, seconds: float, environment: Mapping[str, str]
) -> Answer | None:
    """Tell it ``words`` on its standard input; None where it cannot be started or does not end in time.

    Secrets belong into ``words``: everybody on the machine can read a command line. It leads a process group of its
    own, which is killed as a whole, also when we are broken off.
    """
    pipe, errors = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    try:
        program = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=errors, env=environment, start_new_session=True
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(seconds):
            return await _heard(program, words)
    except TimeoutError:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        await program.wait()


async def _heard(program: asyncio.subprocess.Process, words: bytes) -> Answer:
    if program.stdin is None or program.stdout is None:
        raise ValueError("a program without pipes")
    with suppress(OSError):  # it has gone already: what it said tells why
        program.stdin.write(words)
        await program.stdin.drain()
    program.stdin.close()
    said = b""
    while chunk := await program.stdout.read(4096):
        said = (said + chunk)[:MOST_BYTES]
    return Answer(await program.wait(), said.decode("utf-8", "replace"))
