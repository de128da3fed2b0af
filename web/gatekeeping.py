"""What every request and response passes: whether a form was meant, the headers, whose network it comes from."""

import hashlib
import hmac
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import Forbidden

from web.security import COOKIELESS, browser_token, cookie_name, current_person, write_cookies

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class StaleForm(Forbidden):
    """The form was not made for this browser, or its session has ended meanwhile."""


def guard(app: Flask) -> None:
    """Check every unsafe request and put the headers on every response."""
    app.before_request(_check_form)
    app.after_request(write_cookies)
    app.after_request(_write_headers)
    app.jinja_env.globals.update(csrf_token=csrf_token, current_person=current_person)


def csrf_token() -> str:
    """What every form carries in its hidden field `csrf_token`; follows from the session or the browser."""
    g.personal = True
    secret = request.cookies.get(cookie_name("session")) if current_person() else browser_token()
    return hmac.new(_service().installation.keys.web, f"csrf:{secret}".encode(), hashlib.sha256).hexdigest()


def network_of(address: str | None) -> str:
    """The /24 or /64 that a limit counts by: one person has many addresses of it."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 64), strict=False))


def client_network() -> str:
    """The caller's network; X-Forwarded-For counts only behind the configured number of proxies."""
    return network_of(request.remote_addr)


def local_path(target: str | None, default: str) -> str:
    """`target` when it is a path of ours, else `default`: never a way to send people elsewhere."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc or any(ord(c) < 32 for c in target) else target


def _check_form() -> None:
    if request.method not in UNSAFE or request.blueprint in COOKIELESS:
        return
    if not _same_origin():
        raise StaleForm
    given = request.form.get("csrf_token", "") or request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise StaleForm


def _same_origin() -> bool:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    own = {_service().settings.link_base, request.host_url.rstrip("/")}
    return origin is None or origin in own


def _write_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    # Not no-referrer: browsers would then send "Origin: null" with our own forms.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if _service().settings.https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    personal = g.get("person") is not None or g.get("personal") or "session_token" in g
    headers.setdefault("Cache-Control", "no-store" if personal else "no-cache")
    return response


def _service() -> Any:
    return current_app.extensions["ventana"]
