"""The container files against the product: what they copy, start and set must exist, and no right is given away."""

import re
import shlex
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from scheduler.settings import Settings
from tests.house.source_files import CHECKOUT
from web.cli import COMMANDS

DOCKERFILE = (CHECKOUT / "docker" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker" / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "ventana"}
LAUNCHERS = {"VENTANA_VENV", "VENTANA_PYTHON"}
SETTINGS = {f"VENTANA_{name.upper()}" for name in Settings.model_fields} | LAUNCHERS


def instructions(word: str) -> list[str]:
    """What follows an instruction of the Dockerfile, each as one line."""
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{word} ")]


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    allowed = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copied = {name for line in instructions("COPY") for name in line.split()[:-1]}
    assert all((CHECKOUT / name).exists() for name in copied)
    assert copied == allowed


def test_the_base_can_be_replaced_and_defaults_to_a_public_image() -> None:
    assert instructions("ARG") == ["BASE=docker.io/library/python:3.11-slim-bookworm"]
    assert instructions("FROM") == ["${BASE}"]


def test_it_runs_as_somebody_without_rights() -> None:
    (user,) = instructions("USER")
    assert int(user.partition(":")[0]) > 1000


def test_what_the_image_starts_is_a_command_of_ours() -> None:
    assert instructions("ENTRYPOINT") == ['["/opt/ventana/ventana"]']
    (command,) = instructions("CMD")
    assert yaml.safe_load(command)[0] in COMMANDS
    assert any("/readyz" in line for line in instructions("HEALTHCHECK") + DOCKERFILE.splitlines())


def test_every_setting_exists() -> None:
    named = {pair.partition("=")[0] for line in instructions("ENV") for pair in shlex.split(line)}
    for service in OURS.values():
        named |= set(service["environment"])
    unknown = {name for name in named if name.startswith("VENTANA_")} - SETTINGS
    assert not unknown


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_is_kept_small(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["command"][0] in COMMANDS
    assert (CHECKOUT / "docker" / service["build"]["context"]).resolve() == CHECKOUT
    assert (CHECKOUT / service["build"]["dockerfile"]).is_file()
    assert service["volumes"] == ["keys:/var/lib/ventana"], "all open the same credentials"


def test_the_desk_has_web_two_workers_a_database_and_a_mail_catcher() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"web", "worker", "db", "mail"}
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["web"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert set(COMPOSE["volumes"]) == {"keys", "database"}
    environment = services["web"]["environment"]
    assert environment["VENTANA_DATABASE_URL"].startswith("postgresql+psycopg://")
    assert environment["VENTANA_SMTP_HOST"] == "mail"


def test_health_checks_call_what_exists() -> None:
    assert "healthcheck" in COMPOSE["services"]["db"]
    check = COMPOSE["services"]["worker"]["healthcheck"]["test"]
    assert check == ["CMD", "/opt/ventana/ventana", "worker", "--healthy"]
