"""Indico as a site: its room booking over HTTP on PostgreSQL, nothing changed but what a site must set.

Run in an environment of its own by `benchmarks.peers.indico`:

    python indico_site.py tables FOLDER URL REDIS        make tables
    python indico_site.py prepare FOLDER URL REDIS       make one room, clients with API tokens; print the tokens
    python indico_site.py serve FOLDER URL REDIS PORT    answer, one process with threads, until stopped
"""

import os
import sys
from pathlib import Path

THREADS = 20
SETTINGS = """
SECRET_KEY = 'of-a-site-that-lives-for-a-minute'
BASE_URL = 'http://127.0.0.1'
SQLALCHEMY_DATABASE_URI = {url!r}
SQLALCHEMY_POOL_SIZE = {threads}
ENABLE_ROOMBOOKING = True
DEFAULT_TIMEZONE = 'Europe/Madrid'
REDIS_CACHE_URL = {cache!r}
CELERY_BROKER = 'memory://'
DISABLE_CELERY_CHECK = True
SMTP_USE_CELERY = False
EMAIL_BACKEND = 'indico.vendor.django_mail.backends.locmem.EmailBackend'
NO_REPLY_EMAIL = SUPPORT_EMAIL = PUBLIC_SUPPORT_EMAIL = 'x@x.example'
CACHE_DIR = TEMP_DIR = LOG_DIR = {folder!r}
STORAGE_BACKENDS = {{'default': 'fs:' + {folder!r}}}
"""
LOGGING = """
version: 1
formatters: {default: {format: '%(message)s'}}
handlers: {stderr: {class: logging.StreamHandler, formatter: default}}
root: {level: ERROR, handlers: [stderr]}
loggers: {}
"""


def configure(folder: Path, url: str, cache: str) -> None:
    """What `indico setup wizard` would write; mails go nowhere, as everywhere in this comparison."""
    settings = folder / "indico.conf"
    settings.write_text(SETTINGS.format(url=url, cache=cache, folder=str(folder), threads=THREADS), "utf-8")
    (folder / "logging.yaml").write_text(LOGGING, "utf-8")
    os.environ["INDICO_CONFIG"] = str(settings)


def tables() -> None:
    """By its own command."""
    from indico.cli.core import cli  # type: ignore[import-not-found]  # in its own environment

    cli.main(["db", "prepare"])


def prepare() -> None:
    """A room that everybody may book from 0 to 24, and clients with a token each."""
    from indico.core.db import db  # type: ignore[import-not-found]  # in its own environment
    from indico.core.db.sqlalchemy.protection import ProtectionMode  # type: ignore[import-not-found]
    from indico.modules.rb.models.locations import Location  # type: ignore[import-not-found]
    from indico.modules.rb.models.rooms import Room  # type: ignore[import-not-found]
    from indico.web.flask.app import make_app  # type: ignore[import-not-found]

    with make_app().app_context():
        clients = [_client(number) for number in range(THREADS)]
        db.session.flush()
        room = Room(building="1", floor="1", number="1", owner=clients[0], location=Location(name="Desk"))
        room.protection_mode = ProtectionMode.public
        db.session.add(room)
        db.session.flush()
        tokens = [_token(client) for client in clients]
        db.session.commit()
        print(room.id, *tokens)


def _client(number: int) -> "object":
    from indico.core.db import db
    from indico.modules.users import User  # type: ignore[import-not-found]

    client = User(first_name="C", last_name=str(number), email=f"c{number}@x.example")
    db.session.add(client)
    return client


def _token(client: "object") -> str:
    from indico.core.oauth.models.personal_tokens import PersonalToken  # type: ignore[import-not-found]

    token = PersonalToken(user=client, name="benchmark", scopes=["full:everything"])
    return str(token.generate_token())


def serve(port: int) -> None:
    """One process with as many threads as there are clients."""
    from indico.web.flask.app import make_app
    from waitress import serve as answer  # type: ignore[import-untyped]

    answer(make_app(), host="127.0.0.1", port=port, threads=THREADS)


if __name__ == "__main__":
    configure(Path(sys.argv[2]), *sys.argv[3:5])
    if sys.argv[1] == "serve":
        serve(int(sys.argv[5]))
    else:
        {"tables": tables, "prepare": prepare}[sys.argv[1]]()
