"""What people type: every script and emoji pass, what could harm does not."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_host, clean_text, search_key, search_words


def problem_of(field: str, value: Any, *limits: Any, **more: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        clean_text(field, value, *limits, **more)
    assert caught.value.field == field
    return caught.value.problem


@pytest.mark.parametrize(
    "text",
    ["Clínica Sol, S.L.", "中文公司", "שלום", "👩‍🔧 no suena 🙂", "مرحبا", "O'Brien & <b>Hijos</b>", "100 %"],
)
def test_ordinary_text_passes_unchanged(text: str) -> None:
    assert clean_text("company", text, 80) == text


def test_text_is_composed_and_stripped() -> None:
    assert clean_text("company", "  Cli\u0301nica\u00a0 ", 7) == "Clínica"


@pytest.mark.parametrize(
    "harm",
    [
        *["\x00", "\r", "\n", "\r\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"],
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ],
)
@pytest.mark.parametrize("place", ["{}a", "a{}b", "a{}"])
def test_controls_are_refused_in_one_line(harm: str, place: str) -> None:
    assert problem_of("company", place.format(harm), 80) == "control_characters"


def test_several_lines_keep_their_ends_and_tabs() -> None:
    assert clean_text("description", "uno\r\ndos\n\ttres\r\n", 80, multiline=True) == "uno\ndos\n\ttres"


@pytest.mark.parametrize("harm", ["a\rb", "a\x00b", "a\u202eb", "a\u2028b", "a\x0bb"])
def test_controls_are_refused_in_several_lines_too(harm: str) -> None:
    assert problem_of("description", harm, 80, multiline=True) == "control_characters"


def test_length_is_counted_in_characters() -> None:
    assert clean_text("note", "ñ" * 10, 10) == "ñ" * 10
    assert problem_of("note", "ñ" * 11, 10) == "too_long"


def test_two_megabytes_are_refused_with_the_limit_before_any_work() -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_text("description", "\x00" * 2_000_000, 4000, multiline=True)
    assert caught.value.facts == {"problem": "too_long", "limit": 4000}


def test_blank_is_refused_only_where_something_is_required() -> None:
    assert clean_text("note", " \u3000 ", 80) == ""
    assert problem_of("company", "   ", 80, required=True) == "required"


@pytest.mark.parametrize("value", [None, 7, b"bytes", ["a"]])
def test_only_text_is_text(value: Any) -> None:
    assert problem_of("company", value, 80) == "not_text"


@settings(max_examples=200)
@given(st.text(max_size=60), st.booleans())
def test_what_passes_is_safe_and_stays(text: str, multiline: bool) -> None:
    try:
        clean = clean_text("note", text, 60, multiline=multiline)
    except InvalidInput:
        return
    assert len(clean) <= 60
    assert clean == unicodedata.normalize("NFC", clean).strip()
    assert not {each for each in clean if unicodedata.category(each) == "Cc"} - (
        {"\n", "\t"} if multiline else set()
    )
    assert clean_text("note", clean, 60, multiline=multiline) == clean
    clean.encode("utf-8")


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        (" PBX.Example.com ", "pbx.example.com"),
        ("localhost", "localhost"),
        ("pbx-1.3cx.es", "pbx-1.3cx.es"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("centralita.peñón.es", "centralita.xn--pen-8mak.es"),
        ("a" * 63 + ".es", "a" * 63 + ".es"),
    ],
)
def test_hosts_come_in_their_plain_form(typed: str, host: str) -> None:
    assert clean_host("host", typed) == host


@pytest.mark.parametrize(
    ("typed", "looks_like"),
    [
        ("https://pbx.example.com", "url"),
        ("pbx.example.com/admin", "url"),
        ("root@pbx.example.com", "with_user"),
        ("pbx.example.com:22", "with_port"),
        ("[2001:db8::1]:22", "with_port"),
        ("[2001:db8::1]", None),
        ("fe80::1%eth0", None),
        ("pbx.example.com.", None),
        ("pbx..example.com", None),
        ("-pbx.example.com", None),
        ("pbx-.example.com", None),
        ("pbx_1.example.com", None),
        ("pbx example com", None),
        ("a" * 64 + ".es", None),
        ("2130706433", None),
        ("0x7f000001", None),
        ("0x7f.1", None),
        ("127.1", None),
        ("127.0.0.01", None),
        ("256.0.0.1", None),
        ("pbx.0x1", None),
        ("１２７.0.0.1", None),
        ("①②⑦.0.0.1", None),
        ("pbx。example。com", None),
        ("pbx．example.com", None),
        ("127.0.0.1%00", None),
        ("ñ" * 64 + ".es", None),
        ("ñ" * 62 + ".es", None),
    ],
)
def test_odd_forms_are_no_hosts(typed: str, looks_like: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_host("host", typed)
    assert (caught.value.field, caught.value.problem) == ("host", "not_a_host")
    assert caught.value.facts["looks_like"] == looks_like


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("", "required"), ("a." * 127 + "es", "too_long"), ("pbx.example.com\r\nX: y", "control_characters")],
)
def test_a_host_is_text_first(typed: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_host("host", typed)
    assert caught.value.problem == problem


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_a_host_that_passes_is_plain_ascii_and_stays(text: str) -> None:
    try:
        host = clean_host("host", text)
    except InvalidInput:
        return
    assert host.isascii()
    assert not set(host) & set(" /@[]%")
    assert clean_host("host", host) == host


@pytest.mark.parametrize(
    ("texts", "key"),
    [
        (("Clínica Sol, S.L.", "B46100343"), "clinica sol s l b46100343"),
        (("  ÑANDÚ  &  Straße ",), "nandu strasse"),
        (("...", ""), ""),
    ],
)
def test_a_search_knows_neither_case_nor_accents(texts: tuple[str, ...], key: str) -> None:
    assert search_key(*texts) == key


def test_a_search_of_endless_words_is_cut() -> None:
    assert search_words("Clinica SOL") == ("clinica", "sol")
    assert search_words("%") == ()
    assert search_words("a b c d e f g h") == tuple("abcdef")
    assert search_words("a" * 5000) == ("a" * 200,)
