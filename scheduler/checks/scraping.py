"""Probes that a monitoring system asks for: a target from its request, all the rest from a module that we wrote."""

import json
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from probes.engine import run as run_probe
from probes.many import Job
from probes.pace import DEFAULT_LIMITS
from probes.prometheus import CONTENT_TYPE, scraped
from probes.target_list import FIELDS, BadLine, ListReader
from scheduler.checks.attempts import Allowance, StoredLogins
from scheduler.checks.targets import Doors
from scheduler.clock import Clock
from scheduler.settings import Settings, SettingsInvalid
from scheduler.store.vault import Vault

__all__ = ["CONTENT_TYPE", "ModuleUnknown", "Scraper", "TargetUnusable", "read_modules"]

NOT_IN_A_MODULE = ("host", "id")
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, DEFAULT_LIMITS.total
SPARED_SECONDS = 0.5
"""For the answer to arrive before the scraper gives up."""


class ModuleUnknown(LookupError):
    """No module of that name; `known` are those there are."""

    def __init__(self, known: list[str]) -> None:
        super().__init__(", ".join(known))
        self.known = known


class TargetUnusable(ValueError):
    """A target that cannot be right, or a module whose credential cannot be read: field and problem."""


@lru_cache(maxsize=4)
def read_modules(path: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """The modules of a file, or those shipped. Raises SettingsInvalid naming file, module and field."""
    shown = path or "probe_modules.toml"
    try:
        text = (
            path.read_text("utf-8")
            if path
            else (files("scheduler") / "probe_modules.toml").read_text("utf-8")
        )
        modules = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"VENTANA_PROBE_MODULES_FILE: {shown}: {error}") from error
    for name, module in modules.items():
        problem = _problem(module)
        if problem is not None:
            raise SettingsInvalid(f"VENTANA_PROBE_MODULES_FILE: {shown}: [{name}] {problem}")
    return modules


def _problem(module: object) -> str | None:
    if not isinstance(module, dict):
        return "is not a table"
    unknown = sorted(set(module) - set(FIELDS) | set(module) & set(NOT_IN_A_MODULE))
    if unknown:
        return f"{unknown[0]}: not a field of a module"
    entry = _entry(ListReader(), module, "name.example", None)
    return f"{entry.field}: {entry.problem}" if isinstance(entry, BadLine) else None


def _entry(reader: ListReader, module: Mapping[str, Any], host: str, port: str | None) -> Job | BadLine:
    line = {**module, "host": host} | ({"port": port} if port else {})
    return next(iter(reader.read([json.dumps(line, default=str).encode()])))


@dataclass(frozen=True, slots=True)
class Scraper:
    """Probes on request, with the desk's address policy and its book of logins."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
    vault: Vault

    def scrape(self, module: str, target: str, seconds: float) -> str:
        """Metrics of one probe that takes at most about `seconds`. Raises ModuleUnknown or TargetUnusable."""
        modules = read_modules(self.settings.probe_modules_file)
        if module not in modules:
            raise ModuleUnknown(sorted(modules))
        doors = Doors(self.vault, self.settings.vpn_networks, self.settings.loopback_ports)
        host, port = split_target(target)
        job = _entry(ListReader(doors.allow), modules[module], host, port)
        if isinstance(job, BadLine):
            raise TargetUnusable(f"{job.field}: {job.problem}")
        total = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, seconds - SPARED_SECONDS))
        limits = replace(DEFAULT_LIMITS, total=total, turn=total / 2, dns=min(DEFAULT_LIMITS.dns, total))
        allowance = Allowance(self.settings.logins_per_target, self.settings.refusals_per_target)
        logins = StoredLogins(self.sessions, self.clock, allowance, f"scrape-{uuid.uuid4().hex}")
        return scraped(run_probe(job.target, job.depth, limits=limits, logins=logins))


def split_target(target: str) -> tuple[str, str | None]:
    """Host and port of `host`, `host:port`, `[2001:db8::1]:port` or a bare IPv6 address."""
    if target.startswith("["):
        host, closed, rest = target[1:].partition("]")
        if closed and (not rest or rest.startswith(":")):
            return host, rest[1:] or None
        return target, None  # refused by its form
    if target.count(":") == 1:
        host, _, port = target.partition(":")
        return host, port
    return target, None
