"""The process that reads one foreign calendar under limits that the kernel keeps, and ends.

Bytes come on standard input, the question as one argument, the answer goes out as JSON. The limits are set before
a single foreign byte is read: whatever a calendar makes the libraries do, it ends at so much time and memory.
"""

import json
import resource
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo


def limit(cpu_seconds: int, memory_bytes: int) -> None:
    """Bound this process: processor time, address space, no file written, no dump of foreign text left behind."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(body: bytes, question: dict[str, Any]) -> dict[str, Any]:
    """The busy times as [start, end] in epoch seconds, or the code of what cannot be read."""
    from scheduler.busy.charset import decoded
    from scheduler.busy.expand import busy_times
    from scheduler.busy.sieve import Unreadable, sieve
    from scheduler.rules.intervals import Interval

    zone = ZoneInfo(question["zone"])
    window = Interval(*(datetime.fromtimestamp(question[end], UTC) for end in ("from", "to")))
    try:
        text = sieve(
            decoded(body, question["charset"]),
            window.start.astimezone(zone).date(),
            window.end.astimezone(zone).date(),
        )
        found = busy_times(text, window, zone, question["domain"])
    except Unreadable as unreadable:
        return {"code": unreadable.code, "facts": unreadable.facts}
    except MemoryError:
        return {"code": "too_heavy", "facts": {}}
    return {"busy": [[int(each.start.timestamp()), int(each.end.timestamp())] for each in found]}


def main() -> None:
    """Read, answer, end."""
    question = json.loads(sys.argv[1])
    limit(question["cpu_seconds"], question["memory_bytes"])
    json.dump(answer(sys.stdin.buffer.read(), question), sys.stdout)
