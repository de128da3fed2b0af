"""Far ends on a VNC port that misbehave: each has its code, none holds us longer than its limit."""

from __future__ import annotations

import json
import random
import resource
import socket
import threading
import time
from contextlib import suppress

import pytest

from fixtures.lab.misbehaviour import VNC as EXPECTED
from fixtures.vnc_peers import BEHAVIOURS, CHALLENGE, OK, VERSION, VncPeer, screen, subtypes, types
from probes.codes import CODES
from probes.engine import run
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from tests.probes.conftest import HURRIED

STATUS = {"warn": "warn", "fail": "fail", "unknown": "unknown"}
# Findings that do not end the climb: the one that does comes after them.
PASSED = ("vnc_unencrypted", "vnc_no_password")


def probe_at(port: int, password: str | None = "canary!!", **more: object) -> Report:
    credential = (
        Credential(CredentialKind.PASSWORD, password) if password else Credential(CredentialKind.NONE)
    )
    allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", port)])
    target = Target("vnc", "127.0.0.1", port, "soporte", credential, platform="3cx", allow=allow, **more)  # type: ignore[arg-type]
    return run(target, limits=HURRIED)


def deciding(report: Report) -> tuple[str, str | None]:
    """The last step that says something."""
    said = [step for step in report.steps if step.code]
    ending = [step for step in said if step.code not in PASSED] or said
    return ending[0].name, ending[0].code


def test_every_behaviour_has_an_expectation() -> None:
    assert set(EXPECTED) == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", sorted(EXPECTED))
def test_each_misbehaviour_has_its_code_in_time(behaviour: str) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with VncPeer(behaviour) as peer:
        started = time.monotonic()
        report = probe_at(peer.port)
        took = time.monotonic() - started
    step, code = deciding(report)
    assert code == EXPECTED[behaviour][1], report.as_dict()
    # A reset may arrive before we have asked who is there.
    assert step == EXPECTED[behaviour][0] or (behaviour, step) == ("reset", "port")
    assert code is not None
    assert report.status == CODES[code].severity
    assert took < HURRIED.total + 1
    assert peer.visits == 1  # never a second try
    assert "canary" not in json.dumps(report.as_dict())
    if behaviour != "plain_in_clear":
        assert b"canary" not in peer.received
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 30_000  # KiB


@pytest.mark.parametrize(
    ("behaviour", "service"), [("smtp", "SMTP"), ("http", "HTTP"), ("tls", "TLS"), ("tarpit", None)]
)
def test_the_wrong_service_is_named(behaviour: str, service: str | None) -> None:
    with VncPeer(behaviour) as peer:
        step = probe_at(peer.port).step("rfb")
    assert step is not None
    assert step.facts["service"] == service


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("locked_out", "Too many security failures"),
        ("refuses_3_3", "Server is not configured properly"),
        ("refuses_3_8", "Your address is not allowed"),
        ("refuses_without_words", ""),
    ],
)
def test_the_servers_words_are_kept(behaviour: str, words: str) -> None:
    with VncPeer(behaviour) as peer:
        step = probe_at(peer.port).step("security")
    assert step is not None
    assert step.facts["said"] == words


def test_a_hostile_desktop_name_is_made_harmless() -> None:
    with VncPeer("hostile_name") as peer:
        step = probe_at(peer.port).step("framebuffer")
    assert step is not None
    assert step.facts["desktop"] == "[2Jevil"


def test_the_largest_screen_is_only_described() -> None:
    with VncPeer("largest") as peer:
        step = probe_at(peer.port).step("framebuffer")
    assert step is not None
    assert (step.facts["width"], len(step.facts["desktop"])) == (65535, 128)


def test_the_answer_is_in_the_servers_version_and_the_screen_is_shared() -> None:
    for behaviour, version in (
        ("good_3_3", b"003.003"),
        ("anybody_3_7", b"003.007"),
        ("largest", b"003.008"),
    ):
        with VncPeer(behaviour) as peer:
            probe_at(peer.port)
        assert peer.received.startswith(b"RFB " + version + b"\n")
        assert peer.received.endswith(b"\1")  # shared: whoever works there is not thrown out


@pytest.mark.parametrize("depth", [Depth.REACH, Depth.IDENTIFY])
def test_a_look_without_a_login_never_connects(depth: Depth) -> None:
    with VncPeer("good_3_3") as peer:
        allow = AddressAllowance.parse(loopback_ports=[("127.0.0.1", peer.port)])
        report = run(Target("vnc", "127.0.0.1", peer.port, allow=allow), depth)
        assert [step.name for step in report.steps] == ["name"]
        with suppress(OSError), socket.create_connection(("127.0.0.1", peer.port)):
            time.sleep(0.05)
    assert peer.visits == 1  # ours just now: the probe made none


def test_a_server_that_lost_its_certificate_is_not_told_anything() -> None:
    pin = "sha256:" + "0" * 64
    with (
        VncPeer("good_3_3") as old,
        VncPeer("wrong_password") as clear,
        VncPeer("tls_not_ready") as anonymous,
    ):
        for peer in (old, clear, anonymous):
            step = probe_at(peer.port, pins=frozenset([pin])).step("security")
            assert step is not None
            assert (step.code, step.facts["reason"]) == ("cert_changed", "no_certificate")
    assert len(old.received) + len(clear.received) == 24  # the versions, and not even a choice


@pytest.mark.parametrize(
    ("password", "behaviour", "problem"),
    [("contraseña😀", "good_3_3", "not_latin_1"), ("pass😀", "wrong_password", "not_latin_1")],
)
def test_a_password_that_vnc_cannot_carry_is_not_sent(password: str, behaviour: str, problem: str) -> None:
    with VncPeer(behaviour) as peer:
        step = probe_at(peer.port, password).step("login")
    assert step is not None
    assert (step.code, step.facts["problem"]) == ("credential_unusable", problem)
    assert len(peer.received) <= 13


def test_a_password_that_was_refused_with_letters_beyond_ascii_gets_that_advice() -> None:
    with VncPeer("wrong_password") as peer:
        step = probe_at(peer.port, "ñandú").step("login")
    assert step is not None
    assert (step.code, step.facts["reason"]) == ("vnc_bad_credentials", "non_ascii")


GOOD_3_8 = VERSION + types(1, 2) + CHALLENGE + OK + screen()
GOOD_PLAIN = VERSION + types(2, 19) + b"\0\2\0" + subtypes(256, 258) + OK + screen()
GOOD_3_3 = b"RFB 003.003\n\0\0\0\2" + CHALLENGE + OK + screen()


def test_no_broken_transcript_is_a_fault_of_ours() -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose
    said = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    with sock:
                        sock.sendall(said)
                        sock.shutdown(socket.SHUT_WR)
                        while sock.recv(4096):
                            pass

        threading.Thread(target=serve, daemon=True).start()
        codes = set()
        for _ in range(400):
            broken = bytearray(chance.choice((GOOD_3_8, GOOD_PLAIN, GOOD_3_3)))
            for _ in range(chance.randint(0, 3)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            said = bytes(broken[: chance.randint(len(broken) // 2, len(broken))])
            codes.add(deciding(probe_at(listener.getsockname()[1]))[1])
        listener.shutdown(socket.SHUT_RDWR)
    assert "probe_bug" not in codes
    assert len(codes) >= 6  # the breaking reaches the far corners
