"""Pictures of screens: taken where it was agreed, shortly before a session, and gone in time; never a light."""

import functools
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from fixtures.databases import Database
from fixtures.picture_peers import PicturePeer
from fixtures.vnc_servers import TigerVnc, fingerprint, missing
from fixtures.x_paint import paint
from probes.engine import run as really_probe
from probes.pace import Limits
from probes.report import Outcome, Step, finding, good
from scheduler import pictures
from scheduler.bookings import booking as bookings
from scheduler.checks import explaining, pins, planning, running
from scheduler.checks.running import CheckRunner
from scheduler.checks.targets import Doors
from scheduler.doors import systems
from scheduler.operation import upkeep
from scheduler.operation.backups import back_up
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.secret import Secret
from scheduler.store.engines import write
from scheduler.store.models import AccessPoint, AuditEntry, Booking, Check, CheckStep, Picture
from tests.services.conftest import NOW, SOL, Bench, at, make_bench

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
SEEN = Step("picture", Outcome.OK, None, {"width": 640, "height": 400, "look": ""}, 900.0, PNG)
LOGGED_IN = (good("name"), good("port"), good("login"), good("framebuffer"))
HURRIED = Limits(picture=0.5, opinion=0)


def form(**changed: object) -> systems.DoorForm:
    values: dict[str, object] = {
        "platform": "3cx",
        "method": "vnc",
        "host": "127.0.0.1",
        "port": "5900",
        "username": "soporte",
        "credential_kind": "password",
        "credential": Secret("s3creto"),
        "pictures": True,
    }
    return systems.DoorForm(**(values | changed))  # type: ignore[arg-type]


def add(bench: Bench, **changed: object) -> int:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        assert actor.customer_id is not None
        wanted = form(**changed)
        return systems.add_system(session, desk, bench.vault, NOW, actor, actor.customer_id, wanted).id


def change(bench: Bench, door: int, **changed: object) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        systems.change_door(session, desk, bench.vault, bench.now, actor, door, form(**changed))


def ask(bench: Bench, door: int) -> int:
    with bench.writing() as (session, _):
        point = session.get_one(AccessPoint, door)
        return planning.ask(session, bench.now, bench.customer(session, SOL), point).id


def run(bench: Bench, check_id: int, rev: int = 1, doors: Doors | None = None) -> Check:
    runner = CheckRunner(
        bench.database.sessions,
        lambda: bench.now,
        bench.installation,
        doors or Doors(bench.vault),
        bookings.release_for_red,
    )
    runner.run(check_id, rev)
    with bench.writing() as (session, _):
        row = session.get_one(Check, check_id)
        assert row.steps is not None
        assert row.state == "done"
        return row


def kept(bench: Bench) -> list[int]:
    with bench.writing() as (session, _):
        return list(session.scalars(select(Picture.check_id).order_by(Picture.check_id)))


@pytest.fixture
def sqlite_bench(sqlite_database: Database) -> Bench:
    """What far ends do does not depend on the database."""
    return make_bench(sqlite_database)


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A probe that logs in and, asked for a picture, has one; the depths it was asked for."""
    depths: list[str] = []

    def probe(target: object, depth: object, **_: object) -> object:
        depths.append(depth.name)  # type: ignore[attr-defined]
        steps = (*LOGGED_IN, SEEN) if depth.name == "PICTURE" else LOGGED_IN  # type: ignore[attr-defined]
        return type("Report", (), {"steps": steps})

    monkeypatch.setattr(running, "run_probe", probe)
    return depths


def test_only_agreed_doors_and_only_shortly_before(bench: Bench, sees: list[str]) -> None:
    door, plain = add(bench), add(bench, pictures=False)
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        ids = [
            bookings.book(
                session, desk, NOW, actor, bench.request(session, SOL, start, access_point_id=each)
            ).id
            for each, start in ((door, at(26, 10)), (plain, at(26, 12)))
        ]
    taken = {}
    for booking_id in ids:
        with bench.writing() as (session, _):
            query = select(Check).where(Check.booking_id == booking_id).order_by(Check.due_at)
            checks = [(check.id, check.stage, check.rev) for check in session.scalars(query)]
        for check_id, stage, rev in checks:
            run(bench, check_id, rev)
            taken[booking_id, stage] = sees[-1]
    assert {
        stage for (booking, stage), depth in taken.items() if depth == "PICTURE" and booking == ids[0]
    } == {
        "h2",
        "m30",
    }
    assert {depth for (booking, _), depth in taken.items() if booking == ids[1]} == {"FUNCTION"}
    assert run(bench, ask(bench, door)).verdict == "ready"
    assert run(bench, ask(bench, plain)).verdict == "ready"
    assert sees[-2:] == ["PICTURE", "FUNCTION"]
    assert len(kept(bench)) == 3


def test_the_picture_is_bound_to_its_check_and_has_its_time(bench: Bench, sees: list[str]) -> None:
    check = run(bench, ask(bench, add(bench)))
    with bench.writing() as (session, _):
        found = pictures.newest(session, session.get_one(Check, check.id), bench.now)
        assert found is not None
        assert (found.taken_at, found.width, found.height, found.look) == (NOW, 640, 400, "")
        assert pictures.of_check(session, check.id, bench.now)[1] == PNG


@pytest.mark.parametrize("step", [finding("picture", "probe_bug"), finding("picture", "picture_failed")])
def test_a_picture_that_fails_is_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    steps = (*LOGGED_IN, step)
    monkeypatch.setattr(running, "run_probe", lambda *_, **__: type("Report", (), {"steps": steps}))
    check = run(bench, ask(bench, add(bench)))
    assert (check.verdict, check.code) == ("ready", None)
    with bench.writing() as (session, desk):
        views = explaining.explain(session, session.get_one(Check, check.id), desk, "en")
    assert (views[-1].name, views[-1].state, views[-1].remedy) == ("picture", "skip", None)
    assert views[-1].evidence
    assert not kept(bench)


def test_taking_the_consent_back_deletes_and_is_on_record(bench: Bench, sees: list[str]) -> None:
    door, other = add(bench), add(bench, host="other.example")
    first, second = run(bench, ask(bench, door)), run(bench, ask(bench, other))
    change(bench, door)
    assert kept(bench) == [first.id, second.id], "a change that leaves the consent leaves the pictures"
    change(bench, door, pictures=False)
    assert kept(bench) == [second.id]
    with bench.writing() as (session, _):
        assert session.get_one(AccessPoint, door).pictures_agreed_at is None
        said = session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.action.startswith("door.pictures"))
            .order_by(AuditEntry.id)
        ).all()
    assert list(said) == ["door.pictures_on", "door.pictures_on", "door.pictures_off"]
    run(bench, ask(bench, door))
    assert sees[-1] == "FUNCTION"


def test_a_check_under_way_keeps_nothing_after_the_consent_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = add(bench)

    def probe(*_: object, **__: object) -> object:
        change(bench, door, pictures=False)
        return type("Report", (), {"steps": (*LOGGED_IN, SEEN)})

    monkeypatch.setattr(running, "run_probe", probe)
    assert run(bench, ask(bench, door)).verdict == "ready"
    assert not kept(bench)


def test_another_address_forgets_pictures_of_the_old_one(bench: Bench, sees: list[str]) -> None:
    door = add(bench)
    run(bench, ask(bench, door))
    change(bench, door, host="new.example")
    assert not kept(bench)
    with bench.writing() as (session, _):
        assert session.get_one(AccessPoint, door).pictures_agreed_at == NOW


@pytest.mark.parametrize(("method", "kind"), [("ssh", "our_key"), ("web", "password")])
def test_a_way_without_a_screen_is_refused(bench: Bench, method: str, kind: str) -> None:
    platform = "asterisk" if method == "ssh" else "3cx"
    with pytest.raises(InvalidInput) as refused:
        add(bench, platform=platform, method=method, credential_kind=kind)
    assert (refused.value.field, refused.value.problem) == ("pictures", "not_offered")


def test_pictures_end_after_seven_days(bench: Bench, sees: list[str]) -> None:
    check = run(bench, ask(bench, add(bench)))
    upkeep.forget(bench.database.sessions, lambda: NOW + timedelta(days=7, seconds=-1))
    assert kept(bench) == [check.id]
    later = NOW + timedelta(days=7)
    with bench.writing() as (session, _):
        assert pictures.newest(session, session.get_one(Check, check.id), later) is None, (
            "even before the upkeep"
        )
        with pytest.raises(NotFound):
            pictures.of_check(session, check.id, later)
    upkeep.forget(bench.database.sessions, lambda: later)
    assert not kept(bench)
    with bench.writing() as (session, _):
        assert session.get_one(Check, check.id).state == "done"


def test_a_door_keeps_its_newest_twelve(bench: Bench, sees: list[str]) -> None:
    door = add(bench)
    made = []
    for _ in range(14):
        made.append(run(bench, ask(bench, door)).id)
        bench.now += timedelta(minutes=5)
    assert kept(bench) == made[2:]


def test_a_picture_goes_with_its_check(bench: Bench, sees: list[str]) -> None:
    door = add(bench)
    check = run(bench, ask(bench, door))
    with write(bench.database.sessions) as session:
        session.execute(delete(CheckStep).where(CheckStep.check_id == check.id))
        session.execute(delete(Check).where(Check.id == check.id))
    assert not kept(bench)


def test_a_backup_carries_none(bench: Bench, sees: list[str], tmp_path: Path) -> None:
    run(bench, ask(bench, add(bench)))
    back_up(bench.database.engine, tmp_path / "kept")
    assert len(kept(bench)) == 1, "the desk keeps its own"
    assert PNG not in (tmp_path / "kept").read_bytes()
    if bench.database.kind == "sqlite":
        connection = sqlite3.connect(tmp_path / "kept")
        assert connection.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM access_check").fetchone() == (1,)
        connection.close()


def test_a_real_screen_from_the_due_check_to_the_row(bench: Bench, tmp_path: Path) -> None:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with TigerVnc(tmp_path, "X509Vnc", options={"geometry": "3840x2160"}) as server:
        paint(server.screen, [(0, 0, 3840, 2160, 0x2E8B57), (0, 0, 1920, 1080, 0xC02030)])
        door = add(bench, port=str(server.port))
        with bench.writing() as (session, desk):
            point = session.get_one(AccessPoint, door)
            pins.confirm_line(session, point, fingerprint(server.certificate), "test", NOW)
            actor = bench.customer(session, SOL)
            wish = bench.request(session, SOL, at(26, 10), access_point_id=door)
            booking = bookings.book(session, desk, NOW, actor, wish).id
            query = select(Check.id).where(Check.booking_id == booking, Check.stage == "h2")
            check_id = session.scalars(query).one()
        doors = Doors(bench.vault, loopback_ports=(f"127.0.0.1:{server.port}",))
        bench.now = at(26, 8)
        check = run(bench, check_id, doors=doors)
    assert (check.verdict, check.code) == ("ready", None)
    with bench.writing() as (session, _):
        assert session.get_one(Booking, booking).verdict == "ready"
        row, png = session.get_one(Picture, check_id), pictures.of_check(session, check_id, bench.now)[1]
        assert (row.width, row.height, row.look) == (640, 360, "")
    assert png.startswith(b"\x89PNG")
    assert len(png) < 300_000


@pytest.mark.parametrize("behaviour", ["", "silent", "closes", "wrong_size", "endless", "huge"])
def test_the_light_stays_what_the_login_said(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch, behaviour: str
) -> None:
    """Also for a screen of 65535 by 65535, a broken stream and one that never ends; "" shows its screen."""
    bench = sqlite_bench
    monkeypatch.setattr(running, "run_probe", functools.partial(really_probe, limits=HURRIED))
    with PicturePeer(behaviour or None) as peer:
        door = add(bench, port=str(peer.port))
        doors = Doors(bench.vault, loopback_ports=(f"127.0.0.1:{peer.port}",))
        check = run(bench, ask(bench, door), doors=doors)
    # Anybody gets in at these peers: that is the warning, with a picture and without one.
    assert (check.verdict, check.code) == ("at_risk", "vnc_no_password")
    assert len(kept(bench)) == (0 if behaviour else 1)
