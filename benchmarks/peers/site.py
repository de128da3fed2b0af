"""A peer's site as a process that answers HTTP, and each thread's kept-open connection to it."""

import http.client
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from fixtures.environments import Unavailable
from fixtures.sshd import free_port

PATIENCE_SECONDS = 60


class Site:
    """One running process on a port of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int) -> None:
        self._name = name
        self._process = process
        self._port = port
        self._mine = threading.local()

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        """Status, Location and body."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection: http.client.HTTPConnection = self._mine.connection
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers.get("Location", ""), response.read()

    def cpu_seconds(self) -> float:
        """Of the one process, counted in the kernel's ticks of 10 ms."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until_it_answers(self) -> Self:
        """Itself. Raises Unavailable."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            try:
                self.ask("GET", "/", None, {})
            except (OSError, http.client.HTTPException):
                del self._mine.connection
                time.sleep(0.1)
            else:
                return self
        raise Unavailable(f"{self._name} does not answer")


@contextmanager
def serving(name: str, command: Sequence[str], log: Path) -> Iterator[Site]:
    """The command with a free port added, answering; ended with the block. Raises Unavailable."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen([*command, str(port)], stdout=output, stderr=output)
        try:
            yield Site(name, process, port).until_it_answers()
        finally:
            process.terminate()
            process.wait(10)


def prepare(name: str, command: Sequence[str]) -> list[str]:
    """The words a preparing command prints. Raises Unavailable with its last line of trouble."""
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Unavailable(f"{name}: {(made.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return made.stdout.split()
