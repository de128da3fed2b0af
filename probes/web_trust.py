"""May a password travel to this web server? By the pin a person confirmed, or by public authorities and the name.

``probes.tls`` encrypts without verifying, since PBXs sign their own certificates; here the chain that the
server presented is judged afterwards, on the same connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from probes.target import Target
from probes.tls import Secured, load_certificate

MOST_CERTIFICATES = 10
_BROKEN = (ValueError, TypeError, VerificationError, UnsupportedAlgorithm, x509.DuplicateExtension)


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate judged: the ``code`` of what is to be remedied, or None.

    ``trusted`` says that a password may travel: pinned by a person, or vouched for by an authority.
    """

    code: str | None
    trusted: bool
    vouched: bool


def judge(secured: Secured, chain: Sequence[bytes], host: str, target: Target, now: datetime) -> Judged:
    """Judge the certificate a server presented for ``host``; a pin weighs more than name and authority.

    An expired certificate is expired whoever signed it: that its owner also signed it is the lesser news.
    """
    found = secured.certificate
    if found is None:
        return Judged("tls_failed", trusted=False, vouched=False)
    code = found.code(target.pins, now)
    vouched = is_vouched(chain, host, trusted_roots(target.ca_file), now)
    pinned = bool(target.pins) and code != "cert_changed"
    if code in (None, "cert_expires_soon") and not (pinned or vouched):
        code = "cert_unverified" if names_host(found.der, host) else "cert_wrong_name"
    return Judged(code, trusted=pinned or (vouched and not target.pins), vouched=vouched)


def presented_chain(tls: Any) -> list[bytes]:
    """The certificates as the server sent them, its own first, in DER."""
    if hasattr(tls, "get_unverified_chain"):  # public since Python 3.13
        return list(tls.get_unverified_chain())[:MOST_CERTIFICATES]
    chain = tls._sslobj.get_unverified_chain() or ()  # noqa: SLF001 - the same call before it had a public name
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain[:MOST_CERTIFICATES]]


def is_vouched(chain: Sequence[bytes], host: str, roots: Store | None, now: datetime) -> bool:
    """Whether a trusted authority signed the certificate for ``host``, and it holds at ``now`` (RFC 5280 §6)."""
    if roots is None or not chain:
        return False
    try:
        own, *between = map(load_certificate, chain)
        builder = PolicyBuilder().store(roots).time(now.replace(tzinfo=None))
        builder.build_server_verifier(_subject(host)).verify(own, between)
    except _BROKEN:
        return False
    return True


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(ascii_host(host))


def ascii_host(host: str) -> str:
    """The name as the name server was asked for it; raises UnicodeError."""
    return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()


def names_host(der: bytes, host: str) -> bool:
    """Whether the certificate claims to be ``host`` (RFC 9525 §6.3; the common name only if nothing else)."""
    try:
        certificate = load_certificate(der)
        claimed = _claimed(certificate)
        wanted = ascii_host(host)
    except (*_BROKEN, UnicodeError):
        return False
    return any(_covers(name.lower().rstrip("."), wanted) for name in claimed)


def _claimed(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(attribute.value) for attribute in common]
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _covers(name: str, wanted: str) -> bool:
    """A star stands for exactly one label, the leftmost, and never for part of an address."""
    if name == wanted:
        return True
    star, _, rest = name.partition(".")
    label, _, domain = wanted.partition(".")
    return star == "*" and bool(label) and "." in rest and rest == domain and not label.isdigit()


@lru_cache(maxsize=4)
def trusted_roots(ca_file: str | None = None) -> Store | None:
    """The authorities of ``ca_file``, else of the system, else those that come with certifi; None when unreadable.

    Kept: reading a hundred certificates costs more than a check.
    """
    path = ca_file or ssl.get_default_verify_paths().cafile or certifi.where()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
        return Store(_readable(context.get_ca_certs(binary_form=True)))
    except (OSError, ValueError):
        return None


def _readable(roots: Iterable[bytes]) -> list[x509.Certificate]:
    """One bad root must not take the others with it."""
    found = []
    for der in roots:
        with suppress(*_BROKEN):
            found.append(load_certificate(der))
    return found
