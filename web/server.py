"""The WSGI server: gunicorn, one process of many threads on SQLite, which has one writer; on PostgreSQL several."""

import logging
import signal
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from scheduler.settings import Settings
from web.log_lines import HideFeedSecrets, OneLine

if TYPE_CHECKING:
    from flask import Flask

    from scheduler.bootstrap import Service

log = logging.getLogger(__name__)

ANSWERS_SECONDS = 4
WORK_SECONDS = 21
"""What a stop waits for: open answers (live checks hold theirs for up to a minute), then checks and mails under way."""


class CarefulLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own log, which quotes what it cannot read: a calendar's address may be in it."""

    def setup(self, cfg: Any) -> None:
        """Let nothing out that our own lines would not say."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.addFilter(HideFeedSecrets())
            handler.setFormatter(OneLine(self.error_fmt, self.datefmt))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs the pages; with `work` the engine executes in the same process."""

    def __init__(self, settings: Settings, work: bool) -> None:
        self._settings = settings
        self._work = work
        self._service: Service | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options: dict[str, Any] = {
            "bind": f"[{settings.host}]:{settings.port}"
            if ":" in settings.host
            else f"{settings.host}:{settings.port}",
            "worker_class": "gthread",
            "workers": 1 if settings.store_url.startswith("sqlite") else settings.processes,
            "threads": settings.threads,
            "post_worker_init": self._leave_calmly,
            "worker_exit": self._close,
            "graceful_timeout": ANSWERS_SECONDS + WORK_SECONDS,
            "timeout": 120,
            "keepalive": 15,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "logger_class": CarefulLogger,
            "forwarded_allow_ips": "",
            "proc_name": "ventana",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> "Flask":
        """Called in the worker process: connections and engine threads do not survive a fork."""
        from scheduler.bootstrap import build
        from web.app import create_app

        self._service = build(self._settings)
        if self._work:
            self._service.engine.start()
        log.info("serving %s", self._settings.link_base)
        return create_app(self._service)

    @staticmethod
    def _leave_calmly(worker: Any) -> None:
        """Let a signal only end the loop, in the worker process.

        gunicorn's own handlers for SIGINT and SIGQUIT shut the thread pool down inside the handler, where the main
        thread may hold its lock: the process then stands still until it is killed, with checks and mails under way.
        SIGINT is the terminal's, sent to parent and worker alike; the parent passes it on as SIGQUIT.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, worker.handle_exit)
        worker.cfg.set("graceful_timeout", ANSWERS_SECONDS)

    def _close(self, server: object, worker: object) -> None:
        if self._service is not None:
            self._service.close()
