"""The fuzz target by hypothesis: small here, long by `python -m tests.fuzz` where atheris is installed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.wire import WireError
from tests.fuzz import parsers
from tests.fuzz.parsers import PARSERS, try_all
from tests.fuzz.seeds import SEEDS


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_no_bytes_make_a_parser_do_anything_else(given_: bytes) -> None:
    try_all(given_)


@settings(max_examples=300)
@given(st.sampled_from(SEEDS), st.data())
def test_nor_does_a_damaged_greeting(seed: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(seed)))
    try_all(seed[:place] + data.draw(st.binary(max_size=8)) + seed[place + data.draw(st.integers(0, 8)) :])


def test_the_seeds_reach_into_the_parsers() -> None:
    """Else the fuzzer would only ever try the first refusal of each."""
    for parse in PARSERS:
        read = 0
        for seed in SEEDS:
            try:
                read += parse(seed) is not None
            except WireError:
                continue
        if parse.__name__ not in ("read_request", "find_challenge", "read_kexinit"):
            assert read, parse.__name__


def test_another_exception_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers, "PARSERS", (lambda given: given[99],))
    with pytest.raises(IndexError):
        try_all(b"short")
