"""The proof table: each real server in each situation, probed, and an independent client beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures.lab.catalogue import ENTRIES, UnknownName, chosen
from fixtures.lab.matrix import REFUSED, Row, run_matrix, text_of
from fixtures.lab.secluded import missing as no_network
from probes.codes import CODES

EXPECTED = [(entry, cell) for entry in ENTRIES for cell in entry.cells]
# What no independent client can say: dropbear lets nobody in here, so its green ends before the login.
# OpenSSH's client would wait for somebody to answer the second question; misbehaving listeners are no servers.
UNWITNESSED = {("dropbear", "as far as the host key"), ("asyncssh-token", "second factor")}
TABLE = "table"
"""Under this name the run prints what a test recorded, see tests/conftest.py."""


def test_every_code_is_expected_of_some_far_end() -> None:
    assert {cell.code for _, cell in EXPECTED} - {None} == set(CODES)


def test_the_table_is_large_and_names_everything_once() -> None:
    assert len(EXPECTED) >= 80
    assert max(Counter((entry.name, cell.situation) for entry, cell in EXPECTED).values()) == 1
    assert max(Counter(entry.name for entry in ENTRIES).values()) == 1


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(UnknownName, match="nobody"):
        chosen(["ssh", "nobody"])
    assert {entry.name for entry in chosen(["3cx-18*", "dropbear"])} >= {"3cx-18", "dropbear"}


def test_every_real_server_in_every_situation(record_property: Callable[[str, object], None]) -> None:
    """Each report as it must be, each green confirmed by a client of others, each refusal met by it too."""
    rows = run_matrix(ENTRIES)
    record_property(TABLE, text_of(rows))
    again = chosen([row.server for row in rows if row.wrong]) if any(row.wrong for row in rows) else []
    if (
        0 < len(again) <= 3
    ):  # alone on the machine, a far end that was too slow beside the others is judged anew
        anew = run_matrix(again)
        rows = [row for row in rows if row.server not in {one.server for one in anew}] + anew
    assert not [row for row in rows if row.wrong], text_of([row for row in rows if row.wrong])
    ran = [row for row in rows if not row.not_run]
    if len(ran) == len(rows):
        assert {row.code for row in ran} - {None} == set(CODES)
    assert not [row for row in ran if lacks_witness(row)], text_of([row for row in ran if lacks_witness(row)])


def lacks_witness(row: Row) -> bool:
    """A proven login, or a refused one, that nobody else has confirmed, though somebody could."""
    if (row.server, row.situation) in UNWITNESSED or "-bad-" in row.server:
        return False
    return row.witness is None and (row.status == "ok" or row.code in REFUSED)


@pytest.mark.skipif(no_network() is not None, reason=str(no_network()))
def test_a_filtered_port_is_told_from_a_closed_one() -> None:
    codes = {row.situation: row.code for row in run_matrix(chosen(["network", "port-closed"]))}
    assert (codes["port filtered"], codes["any visit"]) == ("tcp_timeout", "tcp_refused")


def test_a_wrong_report_is_noticed() -> None:
    """The control: a far end that is expected to be something else than it is."""
    (entry,) = chosen(["port-closed"])
    lying = replace(entry, cells=tuple(replace(cell, code="tcp_timeout") for cell in entry.cells))
    (row,) = run_matrix([lying])
    assert row.wrong == "expected tcp_timeout at port"
    assert "WRONG" in text_of([row])


def test_what_cannot_run_is_named_with_its_reason() -> None:
    (entry,) = chosen(["dropbear"])
    absent = replace(entry, missing=lambda: "dropbear is not installed (Debian: dropbear-bin)")
    rows = run_matrix([absent])
    assert {row.not_run for row in rows} == {"dropbear is not installed (Debian: dropbear-bin)"}
    assert "not run: dropbear is not installed (Debian: dropbear-bin)" in text_of(rows)
