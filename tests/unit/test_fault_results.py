"""The sum of what fault suites did says no more than they did."""

import json
from pathlib import Path

import pytest

from tests.faults.results import read_rows, summed, table

ROW: dict[str, object] = {"promise": "P1", "what": "history", "database": "sqlite", "at": "2026-12-01 12:00"}


def test_rounds_of_one_suite_are_added_up(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    rows = [ROW | {"attempts": 10_000, "wrong": 0}, ROW | {"attempts": 9_000, "wrong": 1}]
    rows.append(ROW | {"database": "postgresql", "attempts": 5, "wrong": 0})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert list(table(summed(read_rows([file])))) == [
        "| P1 | history | postgresql | runs 1, attempts 5, wrong 0 |",
        "| P1 | history | sqlite | runs 2, attempts 19,000, wrong 1 |",
    ]


def test_lateness_is_not_added_up() -> None:
    [counts] = summed([ROW | {"late_p99": 2.0, "checks": 3}] * 2).values()
    assert dict(counts) == {"runs": 2, "checks": 6}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"none\.jsonl.*--release"):
        list(read_rows([tmp_path / "none.jsonl"]))
