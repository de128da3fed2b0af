"""Pictures by Remote Desktop that take seconds each: a certificate that changes, and a server without NLA."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.rdp_servers import Shadow, Xrdp, missing
from probes import picture_rdp
from tests.probes.test_pictures import PASSWORD, look_at, painted, picture_in, pixels_of

__all__ = ["painted"]  # a fixture


def test_another_certificate_than_the_probe_saw_opens_no_session(
    tmp_path: Path, painted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = picture_rdp.arguments
    changed = "sha256:" + "0" * 64
    monkeypatch.setattr(picture_rdp, "arguments", lambda visit: really(replace(visit, pin=changed)))
    with Shadow(tmp_path / "server", {"soporte": PASSWORD}, painted) as server:
        report = look_at("rdp", server.port, PASSWORD)
    step = picture_in(report)
    assert (step.code, step.facts["reason"], step.picture) == ("picture_failed", "not_connected", None)
    login = report.step("login")
    assert login is not None
    assert login.code is None


def test_xrdp_shows_its_login_screen_and_gets_no_credential(tmp_path: Path) -> None:
    if (reason := missing("xrdp", "xrdp-keygen", "xfreerdp", "Xvfb")) is not None:
        pytest.skip(reason)
    with Xrdp(tmp_path) as server:
        report = look_at("rdp", server.port, PASSWORD)
        step = picture_in(report)
    assert report.code == "rdp_login_not_checkable"
    assert (step.facts["shows"], step.facts["look"]) == ("before_login", "")
    assert pixels_of(step)[:2] == (640, 400)
