"""What Radicale and Xandikos spend on requests: their applications called as WSGI in this process, CPU measured.

Run in an environment of their own: `python calendar_peers.py radicale|xandikos FOLDER < requests.json`. FOLDER holds
the calendar objects as .ics files. Each request is {"name", "method", "headers", "body", "times", "first"}; the answer
gives for each name CPU milliseconds and how many bytes and events came, so that nobody is quick by sending nothing.
"""

import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
CALENDAR = "/user/cal/"


def radicale(objects: Path, folder: Path) -> Application:
    """Its file system storage, filled as it fills it itself."""
    from radicale import config  # type: ignore[import-not-found]  # in its own environment
    from radicale.app import Application as Radicale  # type: ignore[import-not-found]  # in its own environment

    home = folder / "collection-root" / "user" / "cal"
    home.mkdir(parents=True)
    (home / ".Radicale.props").write_text('{"tag": "VCALENDAR", "D:displayname": "cal"}')
    for file in objects.glob("*.ics"):
        shutil.copy(file, home / file.name)
    settings = config.load()
    settings.update(
        {
            "storage": {"filesystem_folder": str(folder)},
            "auth": {"type": "none"},
            "rights": {"type": "owner_only"},
            "logging": {"level": "error"},
        },
        "benchmark",
        privileged=True,
    )
    found: Application = Radicale(settings)
    return found


def xandikos(objects: Path, folder: Path) -> Application:
    """Its Git storage, filled by one commit, with the index that it otherwise builds after some searches."""
    from xandikos.store import STORE_TYPE_CALENDAR  # type: ignore[import-not-found]  # in its own environment
    from xandikos.store.git import TreeGitStore  # type: ignore[import-not-found]  # in its own environment
    from xandikos.web import SingleUserFilesystemBackend, XandikosApp  # type: ignore[import-not-found]  # in its own environment

    backend = SingleUserFilesystemBackend(str(folder), eager_indexing=True)
    backend.create_principal("/user/")
    home = folder / "user" / "cal"
    home.parent.mkdir(exist_ok=True)
    store = TreeGitStore.create(str(home))
    store.set_type(STORE_TYPE_CALENDAR)
    for file in objects.glob("*.ics"):
        shutil.copy(file, home / file.name)
    for command in (["add", "--all"], ["-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", str(home), *command], check=True)
    backend._mark_as_principal("/user/")  # noqa: SLF001 - as its own wsgi module does
    found: Application = XandikosApp(backend, current_user_principal="/user/").handle_wsgi_request
    return found


def ask(application: Application, request: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of one request."""
    body = request["body"].encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request["method"],
        "PATH_INFO": CALENDAR,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/xml; charset=utf-8",
        "HTTP_AUTHORIZATION": "Basic dXNlcjp4",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request["headers"].items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    status: list[str] = []
    answer = application(environ, lambda said, *_: status.append(said))
    return int(status[0][:3]), b"".join(answer)


def measure(application: Application, request: dict[str, Any]) -> dict[str, float]:
    """CPU milliseconds of one request: the best of three rounds, after some that fill caches and indexes."""
    for _ in range(request["first"]):
        ask(application, request)
    status, body = ask(application, request)
    if status not in (200, 207, 304):
        raise SystemExit(f"{request['name']}: {status} {body[:300]!r}")
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(request["times"]):
            ask(application, request)
        rounds.append((time.process_time() - start) * 1000 / request["times"])
    return {
        "ms": min(rounds),
        "bytes": len(body),
        "events": max(body.count(b"BEGIN:VEVENT"), body.count(b".ics<")),
    }


def main(name: str, objects: str) -> None:
    """Measure what standard input asks for."""
    with tempfile.TemporaryDirectory(prefix="ventana-peer-") as folder:
        application = {"radicale": radicale, "xandikos": xandikos}[name](Path(objects), Path(folder))
        requests = json.load(sys.stdin)
        json.dump({request["name"]: measure(application, request) for request in requests}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
