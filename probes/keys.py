"""Keys as people paste them: private keys, certificates, public lines, fingerprints.

asyncssh is imported where a key is really read: it costs 0.2 s that ``--help`` and form pages need not pay.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from probes.errors import CredentialUnusable, TargetError

if TYPE_CHECKING:
    from asyncssh import SSHKey

KEPT_KEYS = 64
LONGEST_KEY = 64 * 1024
PUBLIC_PREFIXES = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-")
_kept: OrderedDict[bytes, SSHKey] = OrderedDict()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What may be shown of a private key: its algorithm, public line and fingerprint."""

    algorithm: str
    public_line: str
    fingerprint: str

    @classmethod
    def of(cls, key: Any) -> PrivateKey:
        """The public face of an opened key."""
        line = public_line(key)
        return cls(line.split()[0], line, fingerprint(line))


def read_private_key(text: str, passphrase: str | None = None) -> PrivateKey:
    """Check a pasted private key as a form does; raises CredentialUnusable naming the problem."""
    return PrivateKey.of(open_private_key(text, passphrase))


def open_private_key(text: str, passphrase: str | None = None, *, kept: bool = False) -> SSHKey:
    """Parse a private key; raises CredentialUnusable. ``kept`` remembers it by digest.

    Only the desk's own keys may be kept: a customer's key must be gone from memory with its credential.
    """
    if not kept:
        return _parse_private(text, passphrase)
    digest = hashlib.sha256(f"{text}\0{passphrase or ''}".encode("utf-8", "surrogatepass")).digest()
    key = _kept.get(digest)
    if key is None:
        key = _kept[digest] = _parse_private(text, passphrase)
        while len(_kept) > KEPT_KEYS:
            _kept.popitem(last=False)
    return key


def _parse_private(text: str, passphrase: str | None) -> SSHKey:
    _refuse_other_formats(text)
    import asyncssh

    try:
        return asyncssh.import_private_key(text.strip() + "\n", passphrase)
    except asyncssh.KeyEncryptionError:
        raise CredentialUnusable("wrong_passphrase" if passphrase else "passphrase") from None
    except (asyncssh.KeyImportError, ValueError) as error:
        # PEM keys report both as an import error: what the header says and whether we had a passphrase decide.
        encrypted = "ENCRYPTED" in text or "passphrase" in str(error).lower()
        wrong = "wrong_passphrase" if passphrase else "passphrase"
        raise CredentialUnusable(wrong if encrypted else "not_a_key") from None


def _refuse_other_formats(text: str) -> None:
    start = text.lstrip()
    if len(text) > LONGEST_KEY:
        raise CredentialUnusable("too_long")
    if start.startswith("PuTTY-User-Key-File"):
        raise CredentialUnusable("putty_key")
    if start.startswith((*PUBLIC_PREFIXES, "---- BEGIN SSH2 PUBLIC", "-----BEGIN PUBLIC")):
        raise CredentialUnusable("public_key")


def open_certificate(line: str, key: SSHKey) -> Any:
    """An OpenSSH certificate that belongs to the key; raises CredentialUnusable."""
    import asyncssh

    try:
        certificate = asyncssh.import_certificate(line.strip())
    except (asyncssh.KeyImportError, ValueError):
        raise CredentialUnusable("not_a_certificate") from None
    if certificate.key.public_data != key.public_data:
        raise CredentialUnusable("certificate_of_another_key")
    return certificate


def public_line(key: Any) -> str:
    """The OpenSSH public line of a key, without comment."""
    algorithm = key.algorithm.decode("ascii")
    return f"{algorithm} {base64.b64encode(key.public_data).decode('ascii')}"


@lru_cache(maxsize=1024)
def parse_public_line(line: str) -> tuple[str, bytes]:
    """(algorithm, blob) of an OpenSSH public key line; raises TargetError for the field ``pins``."""
    parts = line.split()
    try:
        algorithm, encoded = parts[0], parts[1]
        blob = base64.b64decode(encoded, validate=True)
    except (IndexError, binascii.Error):
        raise TargetError("pins", "not_a_public_key") from None
    name = algorithm.encode("utf-8")
    if blob[:4] != len(name).to_bytes(4, "big") or blob[4 : 4 + len(name)] != name:
        raise TargetError("pins", "not_a_public_key")
    return algorithm, blob


@lru_cache(maxsize=1024)
def fingerprint(line: str) -> str:
    """``SHA256:…`` exactly as ``ssh-keygen -lf`` and technicians' clients show it."""
    digest = hashlib.sha256(parse_public_line(line)[1]).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")
