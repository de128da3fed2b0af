"""Every finding a probe can report, as data: how bad it is and who has to act. Codes are stable.

Severity ``unknown`` is for what we could not judge (our own limits and bugs): a step with such a code has the
outcome ``skipped``, so that it can turn a light neither green nor red.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warn", "fail", "unknown"]
Audience = Literal["customer", "technician", "desk"]


@dataclass(frozen=True, slots=True)
class Code:
    """One finding: its stable name, its severity and the person whose action removes it."""

    name: str
    severity: Severity
    audience: Audience


def _table(severity: Severity, audience: Audience, *names: str) -> dict[str, Code]:
    return {name: Code(name, severity, audience) for name in names}


NETWORK = {
    **_table("fail", "customer", "dns_nxdomain", "dns_failed", "dns_timeout", "address_refused"),
    **_table("fail", "customer", "tcp_refused", "tcp_timeout", "tcp_unreachable", "tcp_reset"),
    **_table("fail", "customer", "closed_before_banner"),
    **_table("fail", "customer", "total_timeout"),
    **_table("unknown", "customer", "throttled"),
}
SSH = {
    **_table(
        "fail", "customer", "banner_timeout", "ssh_v1_only", "kex_timeout", "kex_mismatch", "kex_failed"
    ),
    **_table("fail", "customer", "disconnected_in_kex", "wrong_service"),
    **_table("warn", "technician", "hostkey_unknown"),
    **_table("warn", "customer", "weak_algorithms"),
    **_table("unknown", "desk", "opinions_differ"),
    **_table("fail", "technician", "hostkey_changed"),
    **_table("unknown", "technician", "password_withheld"),
    **_table("fail", "customer", "auth_failed", "auth_method_not_offered", "auth_too_many_failures"),
    **_table("fail", "customer", "auth_timeout", "disconnected_in_auth", "credential_unusable"),
    **_table("fail", "customer", "key_unsupported"),
    **_table("fail", "customer", "account_nologin", "password_expired", "session_refused"),
    **_table("fail", "customer", "cmd_not_found", "cmd_permission_denied", "cmd_timeout", "cmd_killed"),
    **_table("fail", "customer", "cmd_unexpected_output", "sudo_password_required", "asterisk_down"),
}
TLS = {
    **_table("fail", "customer", "tls_failed"),
    **_table("fail", "technician", "cert_changed"),
    **_table("warn", "customer", "cert_expires_soon", "cert_expired"),
}
VNC = {
    **_table("fail", "customer", "not_rfb", "vnc_refused", "vnc_timeout", "vnc_disconnected"),
    **_table("fail", "customer", "vnc_protocol_error", "vnc_unsupported_security"),
    **_table("fail", "customer", "vnc_bad_credentials", "vnc_credential_missing"),
    **_table("unknown", "customer", "vnc_too_many_attempts"),
    **_table("warn", "technician", "vnc_login_not_checkable"),
    **_table("warn", "customer", "vnc_no_password", "vnc_unencrypted"),
}
RDP = {
    **_table("fail", "customer", "not_rdp", "rdp_no_answer", "rdp_negotiation_failed"),
    **_table("warn", "customer", "rdp_unencrypted", "rdp_login_not_checkable"),
    **_table("fail", "customer", "rdp_bad_credentials", "rdp_account_locked", "rdp_account_disabled"),
    **_table("fail", "customer", "rdp_account_expired", "rdp_password_expired", "rdp_password_must_change"),
    **_table("fail", "customer", "rdp_login_restricted", "rdp_no_domain_controller"),
    **_table("fail", "customer", "rdp_login_failed", "rdp_login_timeout"),
    **_table("fail", "technician", "rdp_binding_failed"),
}
PICTURE = {
    **_table("unknown", "desk", "picture_not_available"),
    **_table("unknown", "technician", "picture_failed"),
}
WEB = {
    **_table("fail", "customer", "not_http", "http_timeout", "http_broken", "http_status"),
    **_table("fail", "customer", "redirect_refused", "not_the_panel", "panel_credential_missing"),
    **_table("fail", "customer", "login_failed", "second_factor", "panel_rights", "service_down"),
    **_table("warn", "customer", "http_unencrypted", "cert_wrong_name", "services_unreadable"),
    **_table("warn", "technician", "cert_unverified"),
}
OURS = {
    **_table("unknown", "desk", "probe_bug", "turn_timeout"),
    **_table("unknown", "customer", "login_put_off"),
}

CODES: dict[str, Code] = {**NETWORK, **SSH, **TLS, **RDP, **VNC, **PICTURE, **WEB, **OURS}


def severity_of(code: str) -> Severity:
    """Severity of a code of the table; raises KeyError for a code that does not exist."""
    return CODES[code].severity
