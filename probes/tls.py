"""TLS towards servers whose certificates nobody signed: encrypt first, judge the certificate ourselves.

PBXs and Windows hosts sign their own certificates, so a chain proves nothing here. The library's verification
is off; what counts is the pin that a person confirmed (``sha256:<hex>`` of the whole certificate) and the
days it has left. Old protocol versions are spoken, since old servers have no other, and reported as a fact.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import threading
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.utils import CryptographyDeprecationWarning

from probes.pace import Pace
from probes.wire import WireError

EXPIRES_SOON = timedelta(days=14)
# A certificate of a few days is renewed in its last quarter: a fixed fortnight would always warn.
SOON_SHARE = 4
MOST_NAMES = 20
LONGEST_NAME = 120
OLD_VERSIONS = ("TLSv1", "TLSv1.1")
_LOADING = threading.Lock()
_LEGACY_RENEGOTIATION = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT, named since Python 3.12
# What certificates that break the rules make of cryptography; its own errors are no ValueErrors.
_BROKEN = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


class TlsFailed(Exception):
    """No encryption with the far end; ``reason`` is a stable word or OpenSSL's own, never the peer's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's certificate says; instants are aware UTC. ``names`` are what it claims, unproven."""

    fingerprint: str
    names: tuple[str, ...]
    issuer: str
    key: str
    not_before: datetime
    not_after: datetime
    self_signed: bool
    der: bytes

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.not_after - now) // timedelta(days=1)

    def code(self, pins: Collection[str], now: datetime) -> str | None:
        """What is to be remedied: cert_changed, cert_expired, cert_expires_soon, or None.

        Without pins nothing contradicts. Only ``cert_changed`` means that no credential may be sent.
        """
        if pins and self.fingerprint not in pins:
            return "cert_changed"
        if now >= self.not_after:
            return "cert_expired"
        soon = min(EXPIRES_SOON, (self.not_after - self.not_before) / SOON_SHARE)
        return "cert_expires_soon" if self.not_after - now < soon else None

    def facts(self, pins: Collection[str], now: datetime) -> dict[str, Any]:
        """JSON-able values for a step; ``expected`` holds the pins where they contradict."""
        changed = bool(pins) and self.fingerprint not in pins
        return {
            "fingerprint": self.fingerprint,
            "names": list(self.names),
            "issuer": self.issuer,
            "key": self.key,
            "self_signed": self.self_signed,
            "not_after": self.not_after.isoformat(),
            "expires_on": self.not_after.date().isoformat(),
            "days_left": self.days_left(now),
            "pinned": bool(pins) and not changed,
            **({"expected": ", ".join(sorted(pins))} if changed else {}),
        }


def load_certificate(der: bytes) -> x509.Certificate:
    """The library's view of a certificate as it was issued; raises whatever its bytes make of it.

    Old authorities, Go Daddy's among them, have the serial number 0. cryptography warns of it, and where warnings
    are errors that would become a fault of ours. One thread at a time, since filters of warnings are global.
    """
    with _LOADING, warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return x509.load_der_x509_certificate(der)


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate (RFC 5280 §4.1) as it is, without names if it has none; raises WireError."""
    try:
        found = load_certificate(der)
        return Certificate(
            fingerprint="sha256:" + hashlib.sha256(der).hexdigest(),
            names=_names(found),
            issuer=_plain(found.issuer.rfc4514_string()),
            key=_key(found),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            self_signed=found.issuer == found.subject,
            der=der,
        )
    except _BROKEN:
        raise WireError("not a certificate") from None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Common names first, then alternative names, each once."""
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    found = [str(attribute.value) for attribute in common]
    try:
        other = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found += other.get_values_for_type(x509.DNSName)
        found += map(str, other.get_values_for_type(x509.IPAddress))
    except (x509.ExtensionNotFound, *_BROKEN):
        pass  # without alternative names, or with broken ones: the common name is what people see
    return tuple(dict.fromkeys(map(_plain, found)))[:MOST_NAMES]


def _plain(text: str) -> str:
    """The peer's text as one harmless line of bounded length."""
    return "".join(character if character.isprintable() else "?" for character in text[:LONGEST_NAME])


def _key(certificate: x509.Certificate) -> str:
    """Kind and size of the key, as far as it can be read."""
    try:
        key = certificate.public_key()
    except _BROKEN:
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return f"DSA {key.key_size}" if isinstance(key, dsa.DSAPublicKey) else type(key).__name__.lstrip("_")


def subject_public_key(certificate: Certificate) -> bytes:
    """The BIT STRING content of SubjectPublicKeyInfo (RFC 5280 §4.1.2.7); raises WireError."""
    try:
        key = load_certificate(certificate.der).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            return key.public_bytes_raw()
    except _BROKEN:
        pass
    raise WireError("certificate with a key of an unknown kind")


@lru_cache(maxsize=2)
def lenient_context(*, anonymous: bool = False) -> ssl.SSLContext:
    """A client context without verification that also speaks with servers of 2008.

    ``anonymous`` adds cipher suites without any certificate (VeNCrypt's TLS* kinds). Kept: making one costs
    more CPU than a handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0" if anonymous else "DEFAULT:@SECLEVEL=0")
    context.options |= _LEGACY_RENEGOTIATION
    return context


@dataclass(frozen=True, slots=True)
class Secured:
    """An encrypted connection; ``certificate`` is None only for anonymous suites."""

    version: str
    cipher: str
    certificate: Certificate | None

    def facts(self, pins: Collection[str], now: datetime) -> dict[str, Any]:
        """JSON-able values for a step."""
        found = self.certificate.facts(pins, now) if self.certificate is not None else {}
        return {
            "version": self.version.replace("TLSv", "TLS "),
            "cipher": self.cipher,
            "old_version": self.version in OLD_VERSIONS,
            **found,
        }


async def secure(
    writer: asyncio.StreamWriter,
    host: str,
    pace: Pace,
    *,
    anonymous: bool = False,
    seconds: float | None = None,
) -> Secured:
    """Start TLS on connected streams, naming ``host`` (SNI); raises TlsFailed, also for its time-out.

    The limit is ``seconds``, by default that of a key exchange. Reader and writer stay the same objects.
    """
    try:
        async with pace.within(seconds or pace.limits.kex):
            context = lenient_context(anonymous=anonymous)
            await writer.start_tls(context, server_hostname=_sni(host))
    except TimeoutError:
        raise TlsFailed("timeout") from None
    except ssl.SSLError as error:
        raise TlsFailed((error.reason or "protocol").lower()) from None
    except (OSError, ValueError):
        raise TlsFailed("closed") from None
    return _secured(writer)


def _sni(host: str) -> str:
    """The name to ask for: in ASCII, as the name server was asked."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _secured(writer: asyncio.StreamWriter) -> Secured:
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True)
    cipher = tls.cipher()
    try:
        certificate = read_certificate(der) if der else None
    except WireError:
        raise TlsFailed("certificate_unreadable") from None
    return Secured(tls.version() or "?", cipher[0] if cipher else "?", certificate)
