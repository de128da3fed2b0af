"""Lists of targets: what is read, and how each bad line is named."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.many import Job
from probes.target import CredentialKind, Depth
from probes.target_list import MOST_LINES, BadLine, Label, ListReader

ENVIRONMENT = {"PBX_9": "s3creto ñ", "EMPTY": ""}


def read(*lines: str | bytes, **options: bool) -> list[Job | BadLine]:
    reader = ListReader(environment=ENVIRONMENT, allow_loopback=options.get("loopback", False))
    return list(reader.read(line if isinstance(line, bytes) else line.encode() for line in lines))


def only(*lines: str | bytes) -> Job:
    (job,) = read(*lines)
    assert isinstance(job, Job)
    return job


def test_json_lines_with_all_that_a_target_can_have() -> None:
    job = only(
        json.dumps(
            {
                "method": "rdp",
                "host": "203.0.113.9",
                "port": 3390,
                "user": "CENTRAL\\soporte",
                "password_env": "PBX_9",
                "pins": ["sha256:" + "a" * 64],
                "platform": "3cx",
                "depth": "login",
                "id": 7,
            }
        )
    )
    target = job.target
    assert (target.method, target.port, target.username, job.depth) == (
        "rdp",
        3390,
        "CENTRAL\\soporte",
        Depth.LOGIN,
    )
    assert (target.credential.kind, target.credential.value) == (CredentialKind.PASSWORD, "s3creto ñ")
    assert job.label == Label(1, "7")


def test_comma_separated_values_under_field_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3creto\n")
    first, second = read(
        b"\xef\xbb\xbfmethod, host, port, user, password_file, pins\r\n",
        f'vnc,203.0.113.10,5901,,{tmp_path / "secret"},"sha256:{"a" * 64};sha256:{"b" * 64}"\r\n',
        "# a remark\n",
        "\n",
        "ssh,pbx.example.com\n",
    )
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert (first.target.credential.value, len(first.target.pins)) == ("s3creto", 2)
    assert (second.target.port, second.target.platform, second.label) == (22, "asterisk", Label(5, None))
    assert second.depth is Depth.IDENTIFY  # nothing to log in with


def test_a_key_is_read_and_parsed_once(tmp_path: Path) -> None:
    made = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    (tmp_path / "key").write_bytes(made)
    line = json.dumps({"host": "203.0.113.9", "user": "a", "key_file": str(tmp_path / "key")})
    first, second = read(line, line)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert first.target.credential is second.target.credential


@pytest.mark.parametrize("host", ["[2001:db8::1]", "2001:db8::1"])
def test_an_ipv6_address_may_stand_in_brackets(host: str) -> None:
    assert only(json.dumps({"host": host})).target.host == "2001:db8::1"


def test_a_vnc_visit_always_tries_to_log_in() -> None:
    assert only('{"method": "vnc", "host": "a.example", "depth": "reach"}').depth is Depth.LOGIN


def test_loopback_is_this_machine_only_when_that_is_allowed() -> None:
    (shut,), (opened,) = read('{"host": "127.0.0.1"}'), read('{"host": "127.0.0.1"}', loopback=True)
    assert isinstance(shut, Job)
    assert isinstance(opened, Job)
    assert (len(shut.target.allow.loopback_ports), len(opened.target.allow.loopback_ports)) == (0, 1)


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ('{"host": ""}', "host", "required"),
        ('{"host": "a\\u202eb"}', "host", "control_characters"),
        ('{"host": 5}', "host", "not_text"),
        ('{"host": "a", "port": 0}', "port", "out_of_range"),
        ('{"host": "a", "port": true}', "port", "out_of_range"),
        ('{"host": "a", "port": "22x"}', "port", "out_of_range"),
        ('{"host": "a", "port": 70000}', "port", "out_of_range"),
        ('{"host": "a", "port": 1e400}', "port", "out_of_range"),
        ('{"host": "a", "method": "telnet"}', "method", "not_offered"),
        ('{"host": "a", "depth": "deep"}', "depth", "not_offered"),
        ('{"host": "a", "profile": "ancient"}', "profile", "not_offered"),
        ('{"host": "a", "password": "s3creto"}', "password", "secret_in_list"),
        ('{"host": "a", "colour": "red"}', "colour", "unknown_field"),
        ('{"host": "a", "pins": ["x"]}', "pins", "not_a_public_key"),
        ('{"host": "a", "pins": [5]}', "pins", "not_text"),
        ('{"host": "a", "password_env": "MISSING"}', "password_env", "variable_not_set"),
        ('{"host": "a", "password_env": "EMPTY"}', "credential", "missing"),
        ('{"host": "a", "password_file": "/nonexistent"}', "password_file", "cannot_be_read"),
        ('{"host": "a", "password_file": "a\\u0000b"}', "password_file", "cannot_be_read"),
        ('{"host": "a", "password_file": "/dev/zero"}', "password_file", "too_long"),
        ('{"host": "a", "password_file": "x", "key_file": "y"}', "password_file", "second_credential"),
        ('{"host": "a", "trust_first_use": "perhaps"}', "trust_first_use", "not_true_or_false"),
        ('{"host": "a", "path": "no slash"}', "path", "odd_form"),
        ('{"host": "a", "id": []}', "id", "not_text"),
        ("{nonsense", "line", "not_json"),
        ("{" * 100_000, "line", "too_long"),
        ('{"a":' * 9_000, "line", "not_json"),
        (b'{"host": "\xff"}', "line", "not_utf8"),
    ],
)
def test_a_bad_line_is_named_by_number_and_field_and_the_others_stay(
    line: str | bytes, field: str, problem: str
) -> None:
    before, bad, after = read('{"host": "a.example"}', line, '{"host": "b.example"}')
    assert isinstance(before, Job)
    assert isinstance(after, Job)
    assert isinstance(bad, BadLine)
    assert (bad.number, bad.field, bad.problem) == (2, field, problem)
    assert "s3creto" not in str(bad)


def test_a_header_that_is_not_known_stops_the_list() -> None:
    assert read("host,password", "a,s3creto") == [BadLine(1, "password", "secret_in_list")]
    assert read("203.0.113.9,22", "a,b") == [BadLine(1, "203.0.113.9", "unknown_field")]


def test_a_row_with_more_cells_than_names() -> None:
    assert read("host,port", "a,22,33") == [BadLine(2, "line", "too_many_columns")]
    assert read("host,port", 'a,"22') == [BadLine(2, "line", "not_csv")]


def test_a_list_without_end_is_cut() -> None:
    *jobs, last = ListReader().read(b'{"host": "a"}' for _ in range(MOST_LINES + 5))
    assert (len(jobs), last) == (MOST_LINES, BadLine(MOST_LINES + 1, "list", "too_long"))


@given(st.lists(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), max_size=5))
def test_no_bytes_make_the_reader_do_anything_else(lines: list[bytes]) -> None:
    for entry in ListReader(environment={}).read(lines):
        assert isinstance(entry, Job | BadLine)


@given(
    st.dictionaries(
        st.sampled_from(["host", "port", "pins", "user", "path", "id", "method"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
    )
)
def test_no_values_either(given_: dict[str, object]) -> None:
    with contextlib.suppress(ValueError):
        (entry,) = ListReader(environment={}).read([json.dumps(given_).encode()])
        assert isinstance(entry, Job | BadLine)
