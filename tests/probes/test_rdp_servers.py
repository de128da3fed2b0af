"""RDP against xrdp, FreeRDP's shadow server and a Windows-like peer: situation → code, and xfreerdp agrees."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from fixtures.certificates import make_certificate, pin_of
from fixtures.nla_peer import NlaPeer
from fixtures.rdp_servers import ask_xfreerdp, missing
from probes.pace import Limits
from probes.report import Report
from probes.target import Credential, CredentialKind, Depth
from tests.probes.conftest import found
from tests.probes.rdp_lab import ACCOUNTS, PASSWORD, RdpLab, probe_rdp

UNASKED = ("login", "rdp_login_not_checkable")
BAD = ("login", "rdp_bad_credentials")
GREEN = (None, None)
# (server, user, password) → the first step that is not as it should be, and its code
MATRIX: dict[tuple[str, str, str], tuple[str | None, str | None]] = {
    ("windows", "soporte", PASSWORD): GREEN,
    ("windows", "PBX3CX\\soporte", PASSWORD): GREEN,
    ("windows", "soporte@pbx.example", PASSWORD): GREEN,
    ("windows", ".\\soporte", PASSWORD): GREEN,
    ("windows", "Muñoz", "contraseña😀"): GREEN,
    ("windows", "hashes", ACCOUNTS["hashes"][0]): GREEN,
    ("windows", "long", "x" * 300): GREEN,
    ("windows", "soporte", "wrong"): BAD,
    ("windows", "soporte", "CLAVE-3CX"): BAD,
    ("windows", "nobody", PASSWORD): BAD,
    ("windows", "OTHER\\soporte", PASSWORD): BAD,
    ("windows", "locked", PASSWORD): ("login", "rdp_account_locked"),
    ("windows", "disabled", PASSWORD): ("login", "rdp_account_disabled"),
    ("windows", "expired", PASSWORD): ("login", "rdp_account_expired"),
    ("windows", "old", PASSWORD): ("login", "rdp_password_expired"),
    ("windows", "change", PASSWORD): ("login", "rdp_password_must_change"),
    ("windows", "restricted", PASSWORD): ("login", "rdp_login_restricted"),
    ("windows", "night", PASSWORD): ("login", "rdp_login_restricted"),
    ("windows", "elsewhere", PASSWORD): ("login", "rdp_login_restricted"),
    ("windows", "service", PASSWORD): ("login", "rdp_login_restricted"),
    ("windows", "domain", PASSWORD): ("login", "rdp_no_domain_controller"),
    ("windows", "kerberos", PASSWORD): UNASKED,
    ("windows", "strange", PASSWORD): ("login", "rdp_login_failed"),
    ("windows", "soporte", "a\0b"): ("login", "credential_unusable"),
    ("windows", "soporte", "\ud800"): ("login", "credential_unusable"),
    ("windows", "soporte", ""): ("login", "credential_unusable"),
    ("windows", "", PASSWORD): ("login", "credential_unusable"),
    ("windows_7", "soporte", PASSWORD): GREEN,
    ("windows_7", "soporte", "wrong"): BAD,
    ("windows_7", "locked", PASSWORD): BAD,  # that version cannot say why
    ("windows_v3", "soporte", PASSWORD): GREEN,
    ("windows_v3", "locked", PASSWORD): ("login", "rdp_account_locked"),
    ("windows_v5", "soporte", PASSWORD): GREEN,
    ("windows_v5", "soporte", "wrong"): BAD,
    ("windows_newer", "soporte", PASSWORD): GREEN,
    ("windows_newer", "change", PASSWORD): ("login", "rdp_password_must_change"),
    ("spnego_only", "soporte", PASSWORD): GREEN,
    ("spnego_only", "Muñoz", "contraseña😀"): GREEN,
    ("spnego_only", "soporte", "wrong"): BAD,
    ("spnego_only", "locked", PASSWORD): ("login", "rdp_account_locked"),
    ("no_mechanism", "soporte", PASSWORD): ("login", "rdp_login_failed"),
    ("impostor", "soporte", PASSWORD): ("login", "rdp_binding_failed"),
    ("no_proof", "soporte", PASSWORD): ("login", "rdp_login_failed"),
    ("silent_login", "soporte", PASSWORD): ("login", "rdp_login_timeout"),
    ("expired_certificate", "soporte", PASSWORD): ("tls", "cert_expired"),
    ("soon_expired_certificate", "soporte", PASSWORD): ("tls", "cert_expires_soon"),
    ("wants_tls", "soporte", PASSWORD): ("x224", "rdp_negotiation_failed"),
    ("no_tls", "soporte", PASSWORD): ("x224", "rdp_unencrypted"),
    ("no_certificate", "soporte", PASSWORD): ("x224", "rdp_negotiation_failed"),
    ("inconsistent", "soporte", PASSWORD): ("x224", "rdp_negotiation_failed"),
    ("wants_smartcard", "soporte", PASSWORD): ("x224", "rdp_negotiation_failed"),
    ("unasked", "soporte", PASSWORD): ("x224", "rdp_negotiation_failed"),
    ("rdp_security", "soporte", PASSWORD): ("x224", "rdp_unencrypted"),
    ("shadow_nla", "soporte", PASSWORD): GREEN,
    ("shadow_nla", "tecnico", "contraseña😀"): GREEN,
    ("shadow_nla", "soporte", "wrong"): BAD,
    ("shadow_nla", "nobody", PASSWORD): BAD,
    ("shadow_tls", "soporte", PASSWORD): UNASKED,
    ("shadow_tls", "soporte", "wrong"): UNASKED,
    ("shadow_rdp", "soporte", PASSWORD): ("x224", "rdp_unencrypted"),
    ("xrdp", "soporte", PASSWORD): UNASKED,
    ("xrdp", "nobody", "wrong"): UNASKED,
    ("xrdp_tls", "soporte", PASSWORD): UNASKED,
    ("xrdp_rdp", "soporte", PASSWORD): ("x224", "rdp_unencrypted"),
}
AMBER = {"rdp_login_not_checkable", "rdp_unencrypted", "cert_expired", "cert_expires_soon"}
# What FreeRDP calls the same refusals.
THEIR_WORDS = {
    "soporte": None,
    "locked": "ERRCONNECT_ACCOUNT_LOCKED_OUT",
    "disabled": "ERRCONNECT_ACCOUNT_DISABLED",
    "expired": "ERRCONNECT_ACCOUNT_EXPIRED",
    "old": "ERRCONNECT_PASSWORD_EXPIRED",
    "change": "ERRCONNECT_PASSWORD_MUST_CHANGE",
    "restricted": "ERRCONNECT_ACCOUNT_RESTRICTION",
    "nobody": "ERRCONNECT_LOGON_FAILURE",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RdpLab]:
    running = RdpLab(tmp_path_factory.mktemp("rdp"))
    yield running
    running.close()


def status_of(code: str | None) -> str:
    if code is None:
        return "ok"
    return "warn" if code in AMBER else "fail"


@pytest.mark.parametrize(("server", "username", "password"), MATRIX)
def test_each_situation_has_its_code(server: str, username: str, password: str, lab: RdpLab) -> None:
    limits = Limits(auth=1.5, opinion=0) if server == "silent_login" else Limits(opinion=0)
    report = probe_rdp(lab.server(server).port, username, password, limits=limits)
    expected = MATRIX[server, username, password]
    assert found(report) == expected, report.as_dict()
    assert report.status == status_of(expected[1])
    written = json.dumps(report.as_dict(), ensure_ascii=False)
    assert not password or len(password) < 4 or password not in written


@pytest.mark.parametrize("server", ["expired_certificate", "soon_expired_certificate"])
def test_a_date_does_not_hinder_the_login(server: str, lab: RdpLab) -> None:
    login = probe_rdp(lab.server(server).port).step("login")
    assert login is not None
    assert login.outcome == "ok"


def test_what_a_green_login_tells(lab: RdpLab) -> None:
    peer = lab.server("windows")
    report = probe_rdp(peer.port, pins=(peer.pin,))
    tls, login = report.step("tls"), report.step("login")
    assert tls is not None
    assert login is not None
    assert (tls.facts["version"], tls.facts["pinned"], tls.facts["self_signed"]) == ("TLS 1.3", True, True)
    assert tls.facts["names"] == ["pbx3cx.example.com"]
    assert (tls.facts["fingerprint"], tls.facts["days_left"]) == (peer.pin, 364)
    assert (login.facts["computer"], login.facts["build"]) == ("PBX3CX", "10.0.20348")
    assert (login.facts["system"], login.facts["mechanism"]) == ("Windows Server 2022", "NTLM")
    assert abs(login.facts["clock_skew_s"]) < 5


def test_a_changed_certificate_ends_before_any_authentication(lab: RdpLab) -> None:
    peer = lab.server("windows_v3")
    other = pin_of(make_certificate()[0])
    before = len(peer.events())
    report = probe_rdp(peer.port, pins=(other,))
    step = report.step("tls")
    assert found(report) == ("tls", "cert_changed")
    assert step is not None
    assert (step.facts["fingerprint"], step.facts["expected"]) == (peer.pin, other)
    assert events_of_a_visit(peer, before) in (["visit", "encrypted", "broken"], ["visit", "broken"])


def events_of_a_visit(peer: NlaPeer, before: int) -> list[str]:
    """What the peer saw, once it has noticed that we are gone: "message" would be a byte of CredSSP."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends and not any(it["event"] == "broken" for it in peer.events()[before:]):
        time.sleep(0.02)
    return [event["event"] for event in peer.events()[before:]]


@pytest.mark.parametrize(
    ("password", "events"),
    [(PASSWORD, {"response": 1, "proven": 1}), ("wrong", {"response": 1, "refused": 1})],
)
def test_one_attempt_and_nothing_is_delegated(password: str, events: dict[str, int], lab: RdpLab) -> None:
    peer = lab.server("windows")
    before = len(peer.events())
    probe_rdp(peer.port, password=password)
    seen = [event["event"] for event in peer.events()[before:]]
    assert {name: seen.count(name) for name in events} == events
    assert seen.count("visit") == 1
    assert "delegated" not in seen


def test_another_mechanism_is_tried_before_anybody_is_named_and_never_after(lab: RdpLab) -> None:
    peer = lab.server("spnego_only")
    before = len(peer.events())
    login = probe_rdp(peer.port, password="wrong").step("login")
    seen = [event["event"] for event in peer.events()[before:]]
    assert (seen.count("visit"), seen.count("response"), seen.count("refused")) == (2, 1, 1)
    assert login is not None
    assert login.facts["mechanism"] == "SPNEGO"


@pytest.mark.parametrize("kind", [CredentialKind.NONE, CredentialKind.PRIVATE_KEY])
def test_without_a_password_there_is_no_attempt(kind: CredentialKind, lab: RdpLab, identity: object) -> None:
    peer = lab.server("windows_v5")
    before = len(peer.events())
    key = getattr(identity, "private", None) if kind is CredentialKind.PRIVATE_KEY else None
    report = probe_rdp(peer.port, credential=Credential(kind, key))
    step = report.step("login")
    assert step is not None
    assert (step.code, step.facts["reason"]) == ("credential_unusable", "password_needed")
    assert "message" not in events_of_a_visit(peer, before)


@pytest.mark.parametrize("server", ["windows_newer", "xrdp", "shadow_nla"])
def test_identifying_ends_at_the_certificate(server: str, lab: RdpLab) -> None:
    report = probe_rdp(lab.server(server).port, depth=Depth.IDENTIFY)
    assert [step.name for step in report.steps] == ["name", "port", "x224", "tls"]
    assert report.status == "ok"


def test_a_stopped_service_and_its_return(tmp_path_factory: pytest.TempPathFactory) -> None:
    if (reason := missing("xrdp", "xrdp-keygen")) is not None:
        pytest.skip(reason)
    own = RdpLab(tmp_path_factory.mktemp("own"))
    try:
        xrdp = own.server("xrdp")
        xrdp.stop()
        assert found(probe_rdp(xrdp.port)) == ("port", "tcp_refused")
        xrdp.start()
        assert found(probe_rdp(xrdp.port, pins=(xrdp.pin,))) == UNASKED
    finally:
        own.close()


def test_ten_checks_in_a_row_leave_xrdp_well(lab: RdpLab) -> None:
    xrdp = lab.server("xrdp")
    reports = [probe_rdp(xrdp.port) for _ in range(10)]
    assert {found(report) for report in reports} == {UNASKED}


@pytest.mark.parametrize("username", THEIR_WORDS)
def test_xfreerdp_agrees_about_windows(username: str, lab: RdpLab) -> None:
    if (reason := missing("xfreerdp")) is not None:
        pytest.skip(reason)
    peer = lab.server("windows")
    before = (peer.count("delegated"), peer.count("refused"))
    ours = probe_rdp(peer.port, username)
    assert peer.count("refused") - before[1] == (0 if ours.status == "ok" else 1)
    theirs = ask_xfreerdp(lab.folder / "xfreerdp", lab.display, peer.port, username, PASSWORD)
    # The peer has no desktop: that xfreerdp hands over the password shows that it has verified the proof.
    assert peer.count("delegated") - before[0] == (1 if ours.status == "ok" else 0)
    assert ours.status == ("ok" if THEIR_WORDS[username] is None else "fail")
    if THEIR_WORDS[username] is not None:
        assert theirs.error == THEIR_WORDS[username]


@pytest.mark.parametrize(
    ("username", "password"),
    [("soporte", PASSWORD), ("tecnico", "contraseña😀"), ("soporte", "wrong"), ("nobody", PASSWORD)],
)
def test_xfreerdp_agrees_about_freerdps_server(username: str, password: str, lab: RdpLab) -> None:
    if (reason := missing("xfreerdp")) is not None:
        pytest.skip(reason)
    shadow = lab.server("shadow_nla")
    ours: Report = probe_rdp(shadow.port, username, password)
    theirs = ask_xfreerdp(lab.folder / "xfreerdp", lab.display, shadow.port, username, password)
    assert (ours.status == "ok") == theirs.ended_well
