"""The matrix: each situation of a web panel behind a real nginx, and its code.

3CX itself cannot be installed; what stands for it, and what not, is said in ``fixtures/threecx.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.processes import free_port
from fixtures.web_servers import proxied
from probes.report import Report
from probes.target import Depth
from tests.probes.conftest import found
from tests.probes.web_lab import PASSWORD, Lab, needs_nginx

pytestmark = needs_nginx


def threecx_codes(
    generation: int, certificate: str | None = "good", *, pinned: str | None = None, **conduct: Any
) -> Callable[[Lab, dict[str, Any]], Report]:
    """A situation of a 3CX: how it behaves, and how we come."""

    def situation(lab: Lab, how: dict[str, Any]) -> Report:
        pins = {lab.issued[pinned].fingerprint} if pinned else set()
        with lab.threecx(generation, certificate, **conduct) as (_, nginx):
            return lab.probe(nginx.port, pins=pins, **how)

    return situation


def served(locations: str, certificate: str | None = "good") -> Callable[[Lab, dict[str, Any]], Report]:
    def situation(lab: Lab, how: dict[str, Any]) -> Report:
        with lab.nginx(locations, certificate) as nginx:
            return lab.probe(nginx.port, **how)

    return situation


def page(name: str, certificate: str | None = "good") -> Callable[[Lab, dict[str, Any]], Report]:
    def situation(lab: Lab, how: dict[str, Any]) -> Report:
        with lab.page(name, certificate) as nginx:
            return lab.probe(nginx.port, **how)

    return situation


def closed(lab: Lab, how: dict[str, Any]) -> Report:
    return lab.probe(free_port(), **how)


def returning(status: int, location: str = "") -> Callable[[Lab, dict[str, Any]], Report]:
    words = f'return {status} "{location}";' if location else f"return {status};"
    return served(f"location / {{ {words} }}")


Situation = tuple[Callable[[Lab, dict[str, Any]], Report], dict[str, Any], str, str | None, str | None]
NO_LOGIN = {"password": None, "depth": Depth.IDENTIFY}
Result = tuple[str, str | None, str | None]
THREECX: list[tuple[str, dict[str, Any], dict[str, Any], Result]] = [
    ("good", {}, {}, ("ok", None, None)),
    ("good, front page only", {}, NO_LOGIN, ("ok", None, None)),
    ("pinned", {"certificate": "self_signed", "pinned": "self_signed"}, {}, ("ok", None, None)),
    ("wrong name pinned", {"certificate": "wrong_name", "pinned": "wrong_name"}, {}, ("ok", None, None)),
    ("no summary of services", {"summary": False}, {}, ("ok", None, None)),
    ("wrong password", {}, {"password": "other"}, ("fail", "login", "login_failed")),
    ("unknown user", {}, {"username": "nobody"}, ("fail", "login", "login_failed")),
    (
        "odd user",
        {},
        {"username": 'DOM\\ñ "x" 😀'},
        ("fail", "login", "login_failed"),
    ),
    (
        "password with NUL and emoji",
        {"password": 'a\0b"ñ😀\\'},
        {"password": 'a\0b"ñ😀\\'},
        ("ok", None, None),
    ),
    ("echoing refusal", {"echo": True}, {"password": "other"}, ("fail", "login", "login_failed")),
    ("second factor", {"second_factor": True}, {}, ("fail", "login", "second_factor")),
    ("no credential", {}, {"password": None}, ("fail", "login", "panel_credential_missing")),
    ("no user", {}, {"username": ""}, ("fail", "login", "panel_credential_missing")),
    ("no administrator", {"is_admin": False}, {}, ("fail", "services", "panel_rights")),
    ("a service stopped", {"stopped": ("postgresql",)}, {}, ("fail", "services", "service_down")),
    (
        "stopped, and its name hidden",
        {"stopped": ("postgresql",), "list_readable": False},
        {},
        ("fail", "services", "service_down"),
    ),
    (
        "stopped, without a summary",
        {"stopped": ("postgresql",), "summary": False},
        {},
        ("fail", "services", "service_down"),
    ),
    (
        "neither summary nor list",
        {"summary": False, "list_readable": False},
        {},
        ("warn", "services", "services_unreadable"),
    ),
    ("status fails", {"status_code": 500}, {}, ("fail", "services", "http_status")),
    ("status not there", {"status_code": 404}, {}, ("fail", "services", "http_status")),
    ("expired", {"certificate": "expired"}, {}, ("warn", "tls", "cert_expired")),
    (
        "expired and self-signed",
        {"certificate": "expired_self_signed"},
        {},
        ("warn", "tls", "cert_expired"),
    ),
    (
        "expired, pinned",
        {"certificate": "expired", "pinned": "expired"},
        {},
        ("warn", "tls", "cert_expired"),
    ),
    ("expires soon", {"certificate": "expires_soon"}, {}, ("warn", "tls", "cert_expires_soon")),
    ("self-signed", {"certificate": "self_signed"}, {}, ("warn", "tls", "cert_unverified")),
    ("nameless", {"certificate": "nameless"}, {}, ("warn", "tls", "cert_wrong_name")),
    ("unknown authority", {"certificate": "unknown_authority"}, {}, ("warn", "tls", "cert_unverified")),
    ("wrong name", {"certificate": "wrong_name"}, {}, ("warn", "tls", "cert_wrong_name")),
    ("wrong address", {"certificate": "wrong_address"}, {}, ("warn", "tls", "cert_wrong_name")),
    ("changed certificate", {"pinned": "self_signed"}, {}, ("fail", "tls", "cert_changed")),
    ("without TLS", {"certificate": None}, {}, ("warn", "tls", "http_unencrypted")),
    ("no authorities on this machine", {}, {"ca_file": "/nowhere"}, ("warn", "tls", "cert_unverified")),
]
BOTH: dict[str, Situation] = {
    f"{name}, 3CX {generation}": (threecx_codes(generation, **conduct), how, *result)
    for generation in (18, 20)
    for name, conduct, how, result in THREECX
}
SITUATIONS: dict[str, Situation] = {
    **BOTH,
    "FreePBX": (page("freepbx"), {}, "fail", "panel", "not_the_panel"),
    "Issabel": (page("issabel"), {}, "fail", "panel", "not_the_panel"),
    "Elastix": (page("elastix"), {}, "fail", "panel", "not_the_panel"),
    "Synology": (page("synology"), {}, "fail", "panel", "not_the_panel"),
    "nginx's own page": (page("nginx"), {}, "fail", "panel", "not_the_panel"),
    "a bakery": (page("bakery"), {}, "fail", "panel", "not_the_panel"),
    "FreePBX without TLS": (page("freepbx", None), {}, "fail", "tls", "http_unencrypted"),
    "FreePBX, wanted": (page("freepbx"), {"platform": "asterisk"}, "ok", None, None),
    "Elastix, wanted": (page("elastix"), {"platform": "elastix"}, "ok", None, None),
    "Issabel, whatever": (page("issabel"), {"platform": None}, "ok", None, None),
    "a bakery, whatever": (page("bakery"), {"platform": None}, "fail", "panel", "not_the_panel"),
    "400": (returning(400), {}, "fail", "http", "http_status"),
    "403": (returning(403), {}, "fail", "http", "http_status"),
    "404": (returning(404), {}, "fail", "http", "http_status"),
    "429": (returning(429), {}, "unknown", "http", "throttled"),
    "500": (returning(500), {}, "fail", "http", "http_status"),
    "PBX behind nginx is down": (served(proxied(1)), {}, "fail", "http", "http_status"),
    "nothing there": (closed, {}, "fail", "port", "tcp_refused"),
    "redirect without end": (
        served("location / { return 302 /again; }"), {}, "fail", "http", "redirect_refused",
    ),
    "redirect to the other scheme": (
        served("location / { return 302 http://127.0.0.1:$server_port/; }"), {}, "fail", "http",
        "redirect_refused",
    ),
    "redirect to a file": (returning(302, "file:///etc/passwd"), {}, "fail", "http", "redirect_refused"),
    "redirect with a user": (
        returning(302, "https://a:b@127.0.0.1/"), {}, "fail", "http", "redirect_refused",
    ),
    **{
        f"redirect inward, {where}": (returning(302, where), {}, "fail", "http", "address_refused")
        for where in (
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://192.168.1.1:5001/",
            "https://localhost/",
            "https://127.0.0.1:22/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://router.local/",
            "http://10.0.0.1/",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SITUATIONS))
def test_each_situation_has_its_code(name: str, lab: Lab) -> None:
    situation, how, status, step, code = SITUATIONS[name]
    report = situation(lab, dict(how))
    assert (report.status, *found(report)) == (status, step, code), report.as_dict()
    said = json.dumps(report.as_dict(), ensure_ascii=False)
    assert PASSWORD not in said
    assert "0123-4567" not in said  # the licence key
