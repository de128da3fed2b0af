"""The ways into a PBX on the session's page: what each method shows, and that nothing typed by a customer harms us."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.processes import FOLDERS
from fixtures.rdp_servers import Shadow, XServer, missing, shadow_missing
from fixtures.sshd import Sshd, make_key, of_centos_5
from fixtures.sshd import missing as sshd_missing
from scheduler.store.models import AccessPoint, CheckStep
from tests.web.technician_desk import JORDI, LUZ, MARTA, NOW, SOL, TechnicianDesk, make_desk
from web.technician.pbx_words import say_uptime
from web.technician.rdp_file import rdp_file
from web.technician.ways_in import ssh_command

SOON = NOW + timedelta(minutes=20)


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def door(**values: Any) -> AccessPoint:
    usual = {"method": "ssh", "host": "pbx.example.com", "port": 22, "username": "root", "profile": "modern"}
    return AccessPoint(**(usual | values))


def test_a_remote_desktop_comes_as_a_file_without_the_password(desk: TechnicianDesk) -> None:
    row_id = desk.book(LUZ, SOON)
    browser = desk.browser(MARTA)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert f'href="/s/{row_id}/access-3.rdp" download' in page
    answer = browser.client.get(f"/s/{row_id}/access-3.rdp")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="ventana-{row_id}.rdp"'
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.data.decode("utf-16")
    lines = text.split("\r\n")
    assert {"full address:s:pbx.example.com:3389", "username:s:soporte", "prompt for credentials:i:1"} <= set(
        lines
    )
    assert "password" not in text.lower()
    assert lines[-1] == ""


@pytest.mark.parametrize("path", ["access-1.rdp", "access-2.rdp", "access-99.rdp"])
def test_only_a_remote_desktop_of_the_sessions_own_pbx_is_a_file(desk: TechnicianDesk, path: str) -> None:
    row_id = desk.book(LUZ, SOON)
    assert desk.browser(MARTA).get(f"/s/{row_id}/{path}").status_code == 404
    assert desk.browser(JORDI).get(f"/s/{row_id}/access-3.rdp").status_code == 403
    assert desk.browser().get(f"/s/{row_id}/access-3.rdp").status_code == 303


@pytest.mark.parametrize(
    "typed",
    ["soporte\r\nalternate shell:s:calc.exe", "soporte\u2028alternate shell:s:calc.exe", "\x00a\x85b\u202e"],
)
@pytest.mark.parametrize("name", ["username", "host"])
def test_no_value_begins_a_setting_of_its_own(name: str, typed: str) -> None:
    lines = rdp_file(door(**{"method": "rdp", "port": 3389, name: typed})).decode("utf-16").splitlines()
    assert len(lines) == 10
    assert not [line for line in lines if line.startswith("alternate shell")]


def test_names_beyond_ascii_and_bracketed_addresses_stay_whole() -> None:
    text = rdp_file(door(method="rdp", host="2001:db8::7", port=3389, username="TIENDA\\Muñoz")).decode(
        "utf-16"
    )
    assert "full address:s:[2001:db8::7]:3389\r\nusername:s:TIENDA\\Muñoz\r\n" in text


def test_freerdp_reads_the_file_and_gets_in(tmp_path: Path) -> None:
    if (reason := shadow_missing() or missing("xfreerdp")) is not None:
        pytest.skip(reason)
    with (
        XServer(tmp_path / "x") as screen,
        Shadow(tmp_path / "shadow", {"soporte": "Clave-3cx"}, screen.display) as server,
    ):
        file = tmp_path / "ventana.rdp"
        file.write_bytes(rdp_file(door(method="rdp", host="127.0.0.1", port=server.port, username="soporte")))
        program = shutil.which("xfreerdp", path=FOLDERS) or "xfreerdp"
        line = [program, str(file), "/p:Clave-3cx", "/cert:ignore", "/sec:nla", "+auth-only"]
        environment = {"DISPLAY": screen.display, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(line, capture_output=True, timeout=30, env=environment, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-600:]
        wrong = [word.replace("Clave", "Otra") for word in line]
        done = subprocess.run(wrong, capture_output=True, timeout=30, env=environment, check=False)
        assert done.returncode != 0


@pytest.mark.parametrize(
    ("host", "shown", "link"),
    [
        ("pbx.example.com", "pbx.example.com::5901", "vnc://pbx.example.com:5901"),
        ("2001:db8::7", "[2001:db8::7]::5901", "vnc://[2001:db8::7]:5901"),
    ],
)
def test_vnc_shows_an_address_that_viewers_read_right(
    desk: TechnicianDesk, host: str, shown: str, link: str
) -> None:
    row_id = desk.book(LUZ, SOON)
    with desk.writing() as (session, _):
        point = session.get_one(AccessPoint, 3)
        point.method, point.host, point.port = "vnc", host, 5901
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    assert f">{shown}</code>" in page
    assert f'href="{link}" rel="noopener noreferrer external"' in page


def test_the_other_doors_of_the_same_pbx_are_there_too(desk: TechnicianDesk) -> None:
    row_id = desk.book(LUZ, SOON)
    with desk.writing() as (session, _):
        booked = session.get_one(AccessPoint, 3)
        point = door(
            method="web",
            host="pbx.example.com",
            port=5001,
            username="admin",
            credential_kind="none",
            created_at=NOW,
        )
        point.system_id = booked.system_id
        session.add(point)
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    assert "Other ways into this PBX" in page
    assert 'href="https://pbx.example.com:5001/" rel="noopener noreferrer external"' in page
    assert "pbx.example.com:2222" not in page  # another customer's


def test_the_old_profile_gets_in_where_the_usual_command_does_not(tmp_path: Path) -> None:
    if (reason := sshd_missing()) is not None:
        pytest.skip(reason)
    home = tmp_path / "sshd"
    home.mkdir(mode=0o700)
    make_key(tmp_path / "key", "rsa")
    line = (tmp_path / "key.pub").read_text(encoding="ascii")
    for ending in ("", ".pub"):  # the person's key serves as the server's too: making one takes a second
        shutil.copy(f"{tmp_path / 'key'}{ending}", home / f"host_rsa{ending}")
    # Today's sshd announces rsa-sha2 signatures even where it refuses them; a server of 2007 announced nothing.
    signatures = {"PubkeyAcceptedAlgorithms": "rsa-sha2-256,rsa-sha2-512"}
    options = {"HostKey": str(home / "host_rsa"), **of_centos_5(), **signatures}
    ask = [
        "ssh",
        "-F",
        "none",
        "-i",
        str(tmp_path / "key"),
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=no",
    ]
    ask += ["-o", f"UserKnownHostsFile={tmp_path / 'known'}"]
    with Sshd(home, authorized=[line], options=options) as server:
        for profile, gets_in in (("legacy", True), ("modern", False)):
            point = door(host="127.0.0.1", port=server.port, profile=profile, username=server.username)
            _ssh, *words = shlex.split(ssh_command(point))
            done = subprocess.run([*ask, *words, "true"], capture_output=True, timeout=30, check=False)
            assert (done.returncode == 0) is gets_in, done.stderr.decode()[-500:]


def answered(
    desk: TechnicianDesk, row_id: int, name: str, outcome: str, code: str | None, **facts: object
) -> None:
    desk.checked(row_id, "ready", None, ("port", "ok", None), (name, outcome, code))
    with desk.writing() as (session, _):
        step = session.query(CheckStep).filter_by(name=name).order_by(CheckStep.check_id.desc()).first()
        assert step is not None
        step.facts = facts


def test_asterisk_tells_version_time_up_and_channels(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    browser = desk.browser(MARTA)
    assert "What the PBX says" not in browser.get(f"/s/{row_id}").get_data(as_text=True)
    answered(
        desk, row_id, "asterisk", "ok", None, version="16.28.0", uptime_s=273_845, channels=2, via="direct"
    )
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    for said in ("Asterisk 16.28.0", "3 days and 4 hours", "2 active channels", "As of the test at 10:05."):
        assert said in page
    browser.client.set_cookie("lang", "es")
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    for said in ("3 días y 4 horas", "2 canales activos"):
        assert said in page


def test_a_check_that_got_less_far_leaves_the_last_answer(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, NOW + timedelta(days=2))
    answered(desk, row_id, "asterisk", "ok", None, version="16.28.0", uptime_s=None, channels=0)
    desk.checked(row_id, "not_ready", "tcp_refused", ("port", "fail", "tcp_refused"))
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    assert "Asterisk 16.28.0" in page
    assert "no active channels" in page
    assert "Running for" not in page


@pytest.mark.parametrize(
    ("outcome", "code", "facts", "said"),
    [
        ("ok", None, {}, "all running"),
        ("fail", "service_down", {"services": ["3CX Media Server"]}, "not running: 3CX Media Server"),
        ("skipped", "services_unreadable", {}, "it did not say"),
    ],
)
def test_3cx_tells_version_and_services(
    desk: TechnicianDesk, outcome: str, code: str | None, facts: dict[str, object], said: str
) -> None:
    row_id = desk.book(LUZ, SOON)
    counts = {"extensions_registered": 18, "extensions": 20}
    answered(desk, row_id, "services", outcome, code, version="20.0.5.551", **counts, **facts)
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    for each in ("3CX 20.0.5.551", said, "18 of 20"):
        assert each in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (3_660, "1 hour and 1 minute"),
        (90_000, "1 day and 1 hour"),
        (864_060, "10 days and 1 minute"),
    ],
)
def test_time_up_is_said_by_its_two_greatest_units(desk: TechnicianDesk, seconds: int, said: str) -> None:
    with desk.app.test_request_context(headers={"Cookie": "lang=en"}):
        assert re.sub(r"\s+", " ", say_uptime(seconds)) == said
