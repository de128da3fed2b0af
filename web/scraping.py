"""/probe: one probe as metrics, in the manner of blackbox_exporter, and /metrics: the desk's own.

Each is off unless its token is set: VENTANA_PROBE_TOKEN, VENTANA_METRICS_TOKEN.
"""

import hmac
import threading
from collections import deque
from typing import Any

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from scheduler.store.engines import read
from web.app import Service, now

scraping = Blueprint("scraping", __name__)

PER_MINUTE = 600
SHARE_OF_THREADS = 4
USUAL_SECONDS = 10.0
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class Turns:
    """How many scrapes this process takes: so many a minute, and a share of its threads at once."""

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._begun: deque[float] = deque(maxlen=per_minute)

    def begin(self, moment: float) -> int:
        """0, or the status that refuses: 429 too many a minute, 503 all busy."""
        with self._lock:
            if len(self._begun) == self._begun.maxlen and moment - self._begun[0] < 60:
                return 429
            if not self._free:
                return 503
            self._free -= 1
            self._begun.append(moment)
            return 0

    def end(self) -> None:
        """Give the place back."""
        with self._lock:
            self._free += 1


@scraping.get("/probe")
def probe() -> ResponseReturnValue:
    """The metrics of one probe: `?target=host:port&module=name`; bearer token; plain words for what is wrong."""
    service: Any = current_app.extensions["ventana"]
    refusal = _refusal(service.settings.probe_token.get_secret_value())
    if refusal is not None:
        return refusal
    target, module = request.args.get("target", ""), request.args.get("module", "")
    if not target or not module:
        return f"{'module' if target else 'target'}: required\n", 400, PLAIN
    turns = current_app.extensions.setdefault("ventana.scrapes", _turns(service))
    refused = turns.begin(now().timestamp())
    if refused:
        return "too many probes at once\n", refused, PLAIN | {"Retry-After": "10"}
    try:
        return _scraped(service, module, target)
    finally:
        turns.end()


@scraping.get("/metrics")
def metrics() -> ResponseReturnValue:
    """The desk's own metrics; bearer token."""
    from scheduler.operation import metrics as room  # its library is not needed for pages

    service: Any = current_app.extensions["ventana"]
    refusal = _refusal(service.settings.metrics_token.get_secret_value())
    if refusal is not None:
        return refusal
    with read(service.sessions) as session:
        return room.exposition(session, now()), 200, {"Content-Type": room.CONTENT_TYPE}


def _refusal(token: str) -> ResponseReturnValue | None:
    """No such page without a token; 401 with a wrong one."""
    if not token:
        return "not found\n", 404, PLAIN
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return "give the token as Authorization: Bearer\n", 401, PLAIN | {"WWW-Authenticate": "Bearer"}
    return None


def _scraped(service: Any, module: str, target: str) -> ResponseReturnValue:
    from scheduler.checks import scraping as room  # the probes' libraries are not needed for pages

    scraper = room.Scraper(service.settings, service.sessions, service.clock, service.vault)
    try:
        metrics = scraper.scrape(module, target, _seconds())
    except room.ModuleUnknown as unknown:
        return f"module: there are {', '.join(unknown.known)}\n", 400, PLAIN
    except room.TargetUnusable as unusable:
        return f"{unusable}\n", 400, PLAIN
    return metrics, 200, {"Content-Type": room.CONTENT_TYPE}


def _seconds() -> float:
    """How long the scraper waits, as Prometheus says."""
    try:
        seconds = float(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", ""))
    except ValueError:
        return USUAL_SECONDS
    return seconds if 0 < seconds < 3600 else USUAL_SECONDS


def _turns(service: Service) -> Turns:
    return Turns(max(1, service.settings.threads // SHARE_OF_THREADS), PER_MINUTE)
