"""The locks: complete, hashed, consistent with each other and with pyproject, and silent about where they came from."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.house.source_files import CHECKOUT, files

LOCKS = ("requirements.lock", "requirements-test.lock")
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def project() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    """Version by package."""
    return {found["name"]: found["version"] for found in PIN.finditer((CHECKOUT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (CHECKOUT / lock).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) == len(pins(lock)) > 20
    assert not [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links)\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", [name for name in files() if name.endswith(".lock") and name not in LOCKS])
def test_other_peoples_programs_are_pinned_by_hash_and_without_address(lock: str) -> None:
    text = (CHECKOUT / lock).read_text()
    assert pins(lock)
    assert text.count("--hash=sha256:") >= len(pins(lock))
    assert "://" not in text


def test_the_test_lock_holds_the_runtime_lock() -> None:
    test = pins("requirements-test.lock")
    assert pins("requirements.lock").items() <= test.items()


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", project()["project"]["dependencies"]),
        ("requirements-test.lock", project()["dependency-groups"]["test"]),
    ],
)
def test_what_the_project_wants_is_locked_in_its_range(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)
    for line in wanted:
        requirement = Requirement(line)
        assert requirement.specifier.contains(locked[requirement.name.lower()]), line


def test_node_locks_name_no_address() -> None:
    for name in files():
        if name.endswith("package-lock.json"):
            assert '"resolved"' not in (CHECKOUT / name).read_text(), name
