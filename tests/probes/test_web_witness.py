"""curl as a witness: it logs in where we are green, and is refused where we are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.threecx import VERSIONS, ask_with_curl
from fixtures.web_servers import curl
from probes.target import Depth
from tests.probes.web_lab import GENERATIONS, PASSWORD, Lab, needs_curl, needs_nginx

pytestmark = [needs_nginx, needs_curl]


@GENERATIONS
def test_curl_confirms_what_is_green(generation: int, lab: Lab, tmp_path: Path) -> None:
    with lab.threecx(generation) as (_, nginx):
        assert lab.probe(nginx.port).status == "ok"
        said, status = ask_with_curl(
            generation, nginx.origin, ("admin", PASSWORD), tmp_path / "jar", ca_file=lab.authority.ca_file
        )
    assert "AuthSuccess" in said
    assert json.loads(status)["Version"] == VERSIONS[generation]
    assert json.loads(status)["HasNotRunningServices"] is False


@GENERATIONS
@pytest.mark.parametrize(
    ("conduct", "password", "code"),
    [({}, "other", "login_failed"), ({"second_factor": True}, PASSWORD, "second_factor")],
)
def test_curl_is_refused_where_we_are(
    generation: int, conduct: dict[str, Any], password: str, code: str, lab: Lab, tmp_path: Path
) -> None:
    with lab.threecx(generation, **conduct) as (_, nginx):
        assert lab.probe(nginx.port, password).code == code
        said, status = ask_with_curl(
            generation, nginx.origin, ("admin", password), tmp_path / "jar", ca_file=lab.authority.ca_file
        )
    assert "AuthSuccess" not in said
    assert status == ""


@GENERATIONS
def test_curl_sees_the_stopped_service(generation: int, lab: Lab, tmp_path: Path) -> None:
    with lab.threecx(generation, stopped=("postgresql",)) as (_, nginx):
        assert lab.probe(nginx.port).code == "service_down"
        _, status = ask_with_curl(
            generation, nginx.origin, ("admin", PASSWORD), tmp_path / "jar", ca_file=lab.authority.ca_file
        )
    assert json.loads(status)["HasNotRunningServices"] is True


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("expired", "certificate has expired"),
        ("expired_self_signed", "certificate"),
        ("self_signed", "self-signed certificate"),
        ("unknown_authority", "unable to get local issuer certificate"),
        ("wrong_name", "127.0.0.1"),
    ],
)
def test_curl_refuses_the_certificates_that_we_report(certificate: str, words: str, lab: Lab) -> None:
    with lab.page("freepbx", certificate) as nginx:
        seen = curl(nginx.origin, ca_file=lab.authority.ca_file)
        report = lab.probe(nginx.port, None, depth=Depth.IDENTIFY, platform="asterisk")
    assert seen.returncode == 60
    assert words in seen.stderr.replace("self signed", "self-signed")
    assert report.status == "warn"


@pytest.mark.parametrize("certificate", ["good", "expires_soon"])
def test_curl_accepts_the_certificates_that_we_accept(certificate: str, lab: Lab) -> None:
    with lab.page("freepbx", certificate) as nginx:
        assert curl(nginx.origin, ca_file=lab.authority.ca_file).returncode == 0
        tls = lab.probe(nginx.port, None, depth=Depth.IDENTIFY).step("tls")
    assert tls is not None
    assert tls.facts["vouched"] is True
