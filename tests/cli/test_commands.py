"""Each command: its help, what it prints for people and for programs, and its exit status."""

import re
import socket
import sqlite3
from datetime import datetime

import pytest

from tests.cli.conftest import SOL, Terminal
from web.cli import COMMANDS

SUB = {
    "checks": ["list", "run"],
    "feed": ["create", "list", "rebuild", "revoke"],
    "keys": ["rotate"],
}


@pytest.mark.parametrize("arguments", [[name] for name in COMMANDS if name != "probe"])
def test_every_command_explains_itself(empty: Terminal, arguments: list[str]) -> None:
    said = empty(*arguments, "--help")
    assert said.code == 0
    assert "Usage: ventana" in said.out
    for sub in SUB.get(arguments[0], []):
        assert empty(*arguments, sub, "--help").code == 0
    assert not empty.folder.exists(), "help needs no installation"


def test_help_lists_every_command_and_the_exit_statuses(empty: Terminal) -> None:
    said = empty("--help")
    for name in COMMANDS:
        assert f"\n  {name} " in said.out
    assert "Exit status" in said.out


def test_version(empty: Terminal) -> None:
    assert re.fullmatch(r"\d+\.\d+.*\n", empty("--version").out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["slots", "--days", "0"],
        ["slots", "--platform", "skype"],
        ["token"],
        ["book"],
        ["cancel", "x"],
    ],
)
def test_wrong_arguments_exit_with_2(empty: Terminal, arguments: list[str]) -> None:
    said = empty(*arguments)
    assert said.code == 2
    assert "Error:" in said.err


def start(ventana: Terminal, place: int = 0) -> str:
    """A bookable start, as local time of the desk."""
    document = ventana("slots", "--json", "--days", "7").json
    return str(document["slots"][place]["start_at"])


def test_slots_for_programs_and_for_people(ventana: Terminal) -> None:
    document = ventana("slots", "--json", "--minutes", "30", "--technician", "jordi@levantia.example").json
    earliest = datetime.fromisoformat(document["earliest_at"])
    assert earliest.tzinfo is not None
    assert {slot["technician"] for slot in document["slots"]} == {"Jordi Soler"}
    assert all(datetime.fromisoformat(slot["start_at"]) >= earliest for slot in document["slots"])
    ventana.speaks("es")
    said = ventana("slots", "--days", "2")
    assert said.code == 0
    assert "España peninsular" in said.out


def test_book_move_and_cancel(ventana: Terminal) -> None:
    booked = ventana("book", "--customer", SOL, "--start", start(ventana), "--json")
    assert booked.code == 0
    assert booked.json["status"] == "confirmed"
    assert booked.json["company"] == "Clínica Sol, S.L."
    number = str(booked.json["id"])
    to = start(ventana, 5)
    moved = ventana("move", number, "--start", to, "--technician", "jordi@levantia.example", "--json").json
    assert (moved["start_at"], moved["technician"], moved["rev"]) == (to, "Jordi Soler", 2)
    text = ventana("cancel", number)
    assert "cancelled" in text.out
    again = ventana("cancel", number)
    assert (again.code, "transition_not_allowed" in again.err) == (1, True)


def test_local_time_is_the_desks(ventana: Terminal) -> None:
    wanted = datetime.fromisoformat(start(ventana, 3))
    from zoneinfo import ZoneInfo

    local = wanted.astimezone(ZoneInfo("Europe/Madrid")).strftime("%Y-%m-%dT%H:%M")
    booked = ventana("book", "--customer", SOL, "--start", local, "--json").json
    assert datetime.fromisoformat(booked["start_at"]) == wanted


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"--start": "2020-01-01T10:00"}, "in_the_past"),
        ({"--start": "2027-03-28T02:30"}, "nonexistent_time"),
        ({"--start": "tomorrow"}, "invalid_input: start"),
        ({"--minutes": "45"}, "duration_not_offered"),
        ({"--customer": "B46100344"}, "invalid_input: cif"),
        ({"--customer": "B46000220"}, "not_found"),
        ({"--technician": "nadie@levantia.example"}, "not_found"),
        ({"--system": "Otra"}, "not_found"),
        ({"--entitlement": "99"}, "not_found"),
        ({"--description": "Por TeamViewer"}, "tool_not_accepted"),
        ({"--override-reason": "corta"}, "invalid_input: override_reason"),
    ],
)
@pytest.mark.parametrize("locale", ["es", "en"])
def test_what_is_refused_exits_with_1_and_says_why(
    ventana: Terminal, changed: dict[str, str], code: str, locale: str
) -> None:
    arguments = {"--customer": SOL, "--start": start(ventana)} | changed
    ventana.speaks(locale)
    said = ventana("book", *[word for pair in arguments.items() for word in pair])
    assert (said.code, said.out) == (1, "")
    assert f"[{code}" in said.err
    text = said.err.rpartition("[")[0]
    assert len(text) > 15
    spanish = re.search(r"\b(hay|El|La|Esa|Ese|hora|no se|con|de)\b", text) is not None
    assert spanish == (locale == "es"), text
    assert ventana("checks", "list", "--json").json == {"checks": []}


def test_what_was_not_found_is_named(ventana: Terminal) -> None:
    assert (
        "no customer with that CIF"
        in ventana("book", "--customer", "B46000220", "--start", "2027-01-01T10:00").err
    )
    assert "no booking" in ventana("cancel", "99").err
    assert "no technician" in ventana("feed", "list", "nadie@levantia.example").err


def test_checks_are_listed(ventana: Terminal) -> None:
    number = ventana("book", "--customer", SOL, "--start", start(ventana, 60), "--json").json["id"]
    rows = ventana("checks", "list", "--booking", str(number), "--json").json["checks"]
    assert {row["stage"] for row in rows} >= {"booked", "h8", "h2", "m30"}
    assert {row["state"] for row in rows} == {"planned"}
    assert "ssh pbx.sol.invalid:22" in ventana("checks", "list", "--state", "planned").out
    assert ventana("checks", "list", "--state", "done").out == "no checks\n"


def test_a_check_run_here_says_what_to_do(ventana: Terminal) -> None:
    number = str(ventana("book", "--customer", SOL, "--start", start(ventana, 60), "--json").json["id"])
    said = ventana("checks", "run", number, "--json")
    assert said.code == 1
    assert said.json["state"] == "done"
    assert said.json["verdict"] in ("not_ready", "unknown")
    assert said.json["steps"][0]["name"] == "name"


def test_feeds_are_made_listed_and_revoked(ventana: Terminal) -> None:
    made = ventana("feed", "create", "marta@levantia.example", "--json").json
    assert made["url"].startswith("http://127.0.0.1:8480/cal/")
    listed = ventana("feed", "list", "marta@levantia.example", "--json").json["feeds"]
    assert [feed["id"] for feed in listed] == [made["id"]]
    assert ventana("feed", "revoke", "marta@levantia.example", str(made["id"])).code == 0
    assert ventana("feed", "list", "marta@levantia.example", "--json").json["feeds"] == []
    assert ventana("feed", "revoke", "jordi@levantia.example", str(made["id"])).code == 1


def test_calendars_are_rebuilt_once_and_told_apart_from_whole_ones(ventana: Terminal) -> None:
    assert ventana("book", "--customer", SOL, "--start", start(ventana), "--json").code == 0
    with sqlite3.connect(ventana.folder / "ventana.db") as connection:
        kept = connection.execute("SELECT vevent FROM calendar_object").fetchone()
        connection.execute("UPDATE calendar_object SET vevent = ?", (b"written by another version",))
    connection.close()
    said = ventana("feed", "rebuild", "--json")
    assert (said.code, said.json) == (0, {"parts": 1, "changed": 1})
    assert "1 of 1 parts" in said.err
    assert ventana("feed", "rebuild").out == "0 events changed\n"
    with sqlite3.connect(ventana.folder / "ventana.db") as connection:
        (now,) = connection.execute("SELECT vevent FROM calendar_object").fetchone()
    connection.close()
    lines = [set(body.split(b"\r\n")) for body in (kept[0], now)]
    moved = {line.partition(b":")[0] for line in lines[0] ^ lines[1]}
    assert moved <= {b"DTSTAMP", b"LAST-MODIFIED"}, "the event is as it was, and newer"


def test_a_token_is_printed_once_and_kept_as_hash(ventana: Terminal) -> None:
    token = ventana("token", "--customer", SOL, "--label", "prueba", "--json").json["token"]
    assert token.startswith("vnt_")
    assert token.encode() not in (ventana.folder / "ventana.db").read_bytes()
    both = ventana("token", "--customer", SOL, "--technician", "marta@levantia.example", "--label", "x")
    assert both.code == 2


def test_keys_are_rotated(ventana: Terminal) -> None:
    before = (ventana.folder / "vault.key").read_bytes()
    assert ventana("keys", "rotate", "--json").code == 0
    assert (ventana.folder / "vault.key").read_bytes() != before
    assert ventana("slots", "--json").code == 0


def test_doctor_names_what_to_mend(ventana: Terminal) -> None:
    said = ventana("doctor", "--json")
    found = {finding["name"]: finding for finding in said.json["findings"]}
    assert said.code == 3
    assert found["desk"]["well"]
    assert not found["worker"]["well"]
    assert "ventana serve" in found["worker"]["remedy"]
    assert found["audit"]["well"]
    for name in ("audit_entry_no_update",):
        with sqlite3.connect(ventana.folder / "ventana.db") as database:
            database.execute(f"DROP TRIGGER {name}")
    found = {finding["name"]: finding for finding in ventana("doctor", "--json").json["findings"]}
    assert not found["store"]["well"]


def test_migrate_makes_the_folder_and_may_be_repeated(empty: Terminal) -> None:
    for _ in range(2):
        said = empty("migrate", "--json")
        assert (said.code, said.json["state"]) == (0, "current")
    assert (empty.folder.stat().st_mode & 0o777) == 0o700


def test_a_worker_is_healthy_while_its_heart_beats(ventana: Terminal) -> None:
    assert ventana("worker", "--healthy").code == 1
    with sqlite3.connect(ventana.folder / "ventana.db") as connection:
        beat = "INSERT INTO worker (executor, started_at, seen_at) VALUES (?, 0, unixepoch() - ?)"
        connection.execute(beat, (f"{socket.gethostname()}-1-a", 3600))
        connection.execute(beat, ("elsewhere-1-a", 0))
    connection.close()
    assert ventana("worker", "--healthy").code == 1
    with sqlite3.connect(ventana.folder / "ventana.db") as connection:
        connection.execute(beat, (f"{socket.gethostname()}-2-a", 5))
    connection.close()
    assert ventana("worker", "--healthy").code == 0
