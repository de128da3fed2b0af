"""How much more memory a process needs at its peak when it sends the feed of a large calendar.

Run by benchmarks.calendars in a process of its own: python -m benchmarks.calendar_memory DATABASE PATH. Linux only.
"""

import re
import sys
from pathlib import Path

from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks.calendar_desk import Desk
from scheduler.store.engines import open_engine, sessions, write
from tests.unit.calendars.desk import BASE, context
from web.app import create_app


def main(database: str, path: str) -> None:
    """Print the megabytes."""
    factory = sessions(open_engine(database))
    with write(factory) as session:
        desk = Desk(database, factory, context(session).installation)
    app = create_app(desk)

    def poll(*headers: tuple[str, str]) -> int:
        environ = EnvironBuilder(path=path, base_url=BASE, headers=list(headers)).get_environ()
        body, status, _ = run_wsgi_app(app, environ, buffered=True)
        assert status[:3] in ("200", "304"), status
        return len(b"".join(body))

    poll(("If-None-Match", "*"))
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now
    before = _peak()
    assert poll() > 100_000
    print((_peak() - before) / 1024)


def _peak() -> int:
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found
    return int(found.group(1))


if __name__ == "__main__":
    main(*sys.argv[1:])
