"""backup and restore at a terminal: what is refused, and that nothing existing is touched."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import SOL, Terminal


@pytest.fixture
def kept(ventana: Terminal, tmp_path: Path) -> Path:
    """A backup of a desk with one booking."""
    start = ventana("slots", "--json", "--days", "7").json["slots"][0]["start_at"]
    assert ventana("book", "--customer", SOL, "--start", start).code == 0
    said = ventana("backup", str(tmp_path / "kept.db"), "--json")
    assert said.json["bytes"] > 10_000
    return tmp_path / "kept.db"


def test_a_restored_backup_is_proven(ventana: Terminal, kept: Path, tmp_path: Path) -> None:
    said = ventana("restore", str(kept), "--to", f"sqlite:///{tmp_path / 'new.db'}", "--verify", "--json")
    assert said.json["verified"]["bookings"] == 1
    assert said.json["verified"]["audit_entries"] > 0
    assert said.json["verified"]["credentials"] == 1


def test_a_backup_overwrites_nothing(ventana: Terminal, kept: Path) -> None:
    before = kept.read_bytes()
    said = ventana("backup", str(kept))
    assert (said.code, "never overwrites" in said.err) == (3, True)
    assert kept.read_bytes() == before


def test_a_restore_overwrites_nothing(ventana: Terminal, kept: Path) -> None:
    said = ventana("restore", str(kept))
    assert (said.code, "target is not empty" in said.err) == (3, True)
    assert ventana("doctor").out.count("desk: Soporte Levantia") == 1


def test_a_backup_into_no_folder_is_refused(ventana: Terminal, tmp_path: Path) -> None:
    said = ventana("backup", str(tmp_path / "missing" / "b.db"))
    assert (said.code, "create it" in said.err) == (3, True)


def test_what_is_no_backup_is_refused(ventana: Terminal, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    said = ventana("restore", str(tmp_path / "notes.txt"), "--to", f"sqlite:///{tmp_path / 'new.db'}")
    assert (said.code, "not a backup" in said.err) == (3, True)
    assert not (tmp_path / "new.db").exists() or (tmp_path / "new.db").stat().st_size == 0


def test_a_damaged_backup_is_found(ventana: Terminal, kept: Path, tmp_path: Path) -> None:
    whole = bytearray(kept.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    with sqlite3.connect(kept) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'booking'").fetchone()[0]
    connection.close()
    whole[(root - 1) * size : root * size] = bytes(size)
    kept.write_bytes(whole)
    said = ventana("restore", str(kept), "--to", f"sqlite:///{tmp_path / 'new.db'}", "--verify")
    assert said.code == 3
    assert "damaged" in said.err or "malformed" in said.err


def test_a_backup_of_the_other_kind_names_the_way(ventana: Terminal, tmp_path: Path) -> None:
    (tmp_path / "pg.dump").write_bytes(b"PGDMP" + bytes(100))
    said = ventana("restore", str(tmp_path / "pg.dump"), "--to", f"sqlite:///{tmp_path / 'new.db'}")
    assert (said.code, "ventana db copy" in said.err) == (3, True)


def test_an_altered_audit_log_is_found(ventana: Terminal, kept: Path, tmp_path: Path) -> None:
    with sqlite3.connect(kept) as connection:
        (trigger,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'audit_entry_no_update'"
        ).fetchone()
        connection.execute("DROP TRIGGER audit_entry_no_update")
        connection.execute("UPDATE audit_entry SET actor = 'nobody' WHERE id = 1")
        connection.execute(trigger)
    connection.close()
    said = ventana("restore", str(kept), "--to", f"sqlite:///{tmp_path / 'new.db'}", "--verify")
    assert (said.code, "altered before entry 1" in said.err) == (3, True)
