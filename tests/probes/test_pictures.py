"""Pictures of real screens whose colours are known, and of screens that nobody honest would show."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.picture_peers import BEHAVIOURS, PicturePeer
from fixtures.rdp_servers import Shadow, XServer, missing, shadow_missing
from fixtures.vnc_servers import TigerVnc, X11Vnc, missing_x11vnc
from fixtures.vnc_servers import missing as vnc_missing
from fixtures.x_paint import paint
from probes import picture_rdp
from probes.engine import run
from probes.report import Report, Step
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from tests.probes.conftest import HURRIED

PASSWORD = "contraseña😀"
GREEN, RED, BLUE = 0x2E8B57, 0xC02030, 0x2040FF
PAINTED = ((0, 0, 640, 480, GREEN), (0, 0, 320, 240, RED), (320, 240, 320, 240, BLUE))


def pixels_of(step: Step) -> tuple[int, int, bytes]:
    """Width, height and the pixels of a PNG, decoded by its specification and not by our writer."""
    png = step.picture
    assert png is not None
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(png) <= 300_000
    chunks, at = {}, 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", png, at + 8 + length)[0]
        chunks[kind] = body
        at += 12 + length
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert form == [8, 2, 0, 0, 0]
    assert width <= 640
    lines = zlib.decompress(chunks[b"IDAT"])
    assert len(lines) == height * (width * 3 + 1)
    return width, height, lines


def colour_at(step: Step, x: int, y: int) -> int:
    """The colour of one pixel of the picture."""
    width, _, lines = pixels_of(step)
    start = y * (width * 3 + 1) + 1 + x * 3
    return int.from_bytes(lines[start : start + 3], "big")


def look_at(
    method: str, port: int, password: str | None = "s3creto", depth: Depth = Depth.PICTURE, **more: object
) -> Report:
    credential = (
        Credential(CredentialKind.PASSWORD, password) if password else Credential(CredentialKind.NONE)
    )
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)])
    target = Target(method, "127.0.0.1", port, "soporte", credential, platform="3cx", allow=allow)
    return run(target, depth, **more)  # type: ignore[arg-type]


def picture_in(report: Report) -> Step:
    step = report.step("picture")
    assert step is not None
    assert "picture" not in json.dumps([one["facts"] for one in report.as_dict()["steps"]])
    return step


@pytest.mark.parametrize(
    ("security", "geometry"), [("VncAuth", "640x480"), ("X509Vnc", "1920x1080"), ("TLSVnc", "1366x768")]
)
def test_the_pixels_of_tigervnc_are_its_screens(tmp_path: Path, security: str, geometry: str) -> None:
    if (reason := vnc_missing()) is not None:
        pytest.skip(reason)
    wide, high = map(int, geometry.split("x"))
    with TigerVnc(tmp_path, security, options={"geometry": geometry}) as server:
        black = picture_in(look_at("vnc", server.port))
        paint(server.screen, [(0, 0, wide, high, GREEN), (0, 0, wide // 2, high // 2, RED)])
        step = picture_in(look_at("vnc", server.port))
        paint(server.screen, [(0, 0, wide, high, BLUE)])
        uniform = picture_in(look_at("vnc", server.port))
    width, height, _ = pixels_of(step)
    every = -(-wide // 640)
    assert (width, height) == (wide // every, high // every)
    assert colour_at(step, 0, 0) == colour_at(step, width // 2 - 2, height // 2 - 2) == RED
    assert colour_at(step, width - 1, 0) == colour_at(step, 0, height - 1) == GREEN
    assert [one.facts["look"] for one in (black, step, uniform)] == ["black", "", "uniform"]
    assert colour_at(uniform, 3, 3) == BLUE


def test_x11vnc_is_seen_too_and_only_when_asked(tmp_path: Path) -> None:
    if (reason := missing_x11vnc()) is not None:
        pytest.skip(reason)
    with X11Vnc(tmp_path) as server:
        paint(server.screen, PAINTED)
        step = picture_in(look_at("vnc", server.port))
        without = look_at("vnc", server.port, depth=Depth.FUNCTION)
        assert colour_at(step, 10, 10) == RED
        assert colour_at(step, 630, 470) == BLUE
        assert colour_at(step, 630, 10) == GREEN
    assert without.step("picture") is None


@pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
def test_a_dishonest_screen_is_a_value_and_never_red(behaviour: str) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = replace(HURRIED, picture=0.5)
    with PicturePeer(behaviour) as peer:
        started = time.monotonic()
        report = look_at("vnc", peer.port, None, limits=limits)
        took = time.monotonic() - started
    step = picture_in(report)
    assert (step.code, step.facts["reason"]) == ("picture_failed", BEHAVIOURS[behaviour][1])
    assert step.outcome == "skipped"
    assert step.picture is None
    assert report.status == "warn"  # anybody gets in, as without a picture
    assert took < HURRIED.total + 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 30_000  # KiB


def test_a_screen_may_come_in_parts_between_other_words() -> None:
    with PicturePeer() as peer:
        step = picture_in(look_at("vnc", peer.port, None))
        heard = peer.received
    assert step.facts["look"] == "uniform"
    assert colour_at(step, 63, 47) == 0x1030C0
    assert heard.endswith(struct.pack(">BBHHHH", 3, 0, 0, 0, 64, 48))  # nothing after the one request


@pytest.fixture
def painted(tmp_path: Path) -> Iterator[str]:
    """A display of 320 by 240, red on the left."""
    if (reason := shadow_missing() or missing("xfreerdp")) is not None:
        pytest.skip(reason)
    with XServer(tmp_path / "screen") as screen:
        paint(screen.display, [(0, 0, 320, 240, GREEN), (0, 0, 160, 240, RED)])
        yield screen.display


def near(colour: int, wanted: int) -> bool:
    """RemoteFX is lossy."""
    pairs = zip(colour.to_bytes(3, "big"), wanted.to_bytes(3, "big"), strict=True)
    return all(abs(one - other) <= 12 for one, other in pairs)


def test_a_session_by_nla_is_seen_and_its_password_is_on_no_command_line(
    tmp_path: Path, painted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []
    really = picture_rdp.arguments

    def listening(visit: picture_rdp.Visit) -> list[str]:
        told.append(really(visit))
        return told[-1]

    monkeypatch.setattr(picture_rdp, "arguments", listening)
    with Shadow(tmp_path / "server", {"soporte": PASSWORD}, painted) as server:
        step = picture_in(look_at("rdp", server.port, PASSWORD))
        refused = look_at("rdp", server.port, "wrong")
    assert step.facts["shows"] == "session", step
    assert near(colour_at(step, 40, 60), RED)
    assert near(colour_at(step, 120, 60), GREEN)
    assert len(told) == 1  # a refused credential opens nothing
    assert PASSWORD not in " ".join(told[0])
    assert picture_in(refused).code is None
    assert picture_in(refused).outcome == "skipped"


def test_the_command_writes_a_file_for_its_owner(tmp_path: Path) -> None:
    if (reason := vnc_missing()) is not None:
        pytest.skip(reason)
    word = tmp_path / "word"
    word.write_text("s3creto\n", encoding="ascii")
    album = tmp_path / "screen.png"
    with TigerVnc(tmp_path / "server", "X509Vnc") as server:
        paint(server.screen, PAINTED)
        command = [sys.executable, "-m", "probes", "vnc", "127.0.0.1", "-p", str(server.port)]
        command += ["--allow-loopback", "--password-file", str(word), "--depth", "picture"]
        bare = subprocess.run(command, capture_output=True, text=True, check=False)
        done = subprocess.run(
            [*command, "--picture-file", str(album), "--lang", "es"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert bare.returncode == 3
    assert "--picture-file" in bare.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Imagen de la pantalla" in done.stdout
    assert "tomada, 640 × 480" in done.stdout
    assert album.read_bytes()[:4] == b"\x89PNG"
    assert album.stat().st_mode & 0o777 == 0o600
