"""What each profile offers to a server, what both sides arrive at, and what of that is weak."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from probes.keys import parse_public_line
from probes.target import Target
from probes.wire.ssh import KexInit, chosen, find_mismatch, is_sealed


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What a profile offers, in order."""

    kex: tuple[str, ...]
    host_key: tuple[str, ...]
    cipher: tuple[str, ...]
    mac: tuple[str, ...]
    signature: tuple[str, ...]


MODERN = Algorithms(
    # Costly ones come last.
    kex=(
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group-exchange-sha256",
    ),
    # In this order the fingerprint is the one that technicians' clients show.
    host_key=(
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
        "ssh-rsa",
    ),
    cipher=(
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "chacha20-poly1305@openssh.com",
    ),
    mac=(
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
    ),
    signature=(
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
        "ssh-rsa",
    ),
)
# For servers of the CentOS 5 to 7 era. What is modern still comes first, so a renewed server loses nothing.
LEGACY = Algorithms(
    kex=(
        *(name for name in MODERN.kex if "group-exchange" not in name),
        # Before group exchange, whose group must travel first and whose arithmetic costs three times as much.
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group1-sha1",
    ),
    host_key=(*MODERN.host_key, "ssh-dss"),
    cipher=(*MODERN.cipher, "aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"),
    mac=(*MODERN.mac, "hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
    signature=(*MODERN.signature, "ssh-dss"),
)
PROFILES = {"modern": MODERN, "legacy": LEGACY}
RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
# Signatures and exchanges over SHA-1, ciphers that leak through their padding, MD5. HMAC with SHA-1 still holds.
WEAK = frozenset(
    {
        *(name for name in LEGACY.kex if name.endswith("-sha1")),
        *("ssh-rsa", "ssh-dss", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
        *(name for name in LEGACY.cipher if name.endswith("-cbc")),
    }
)


def algorithms(target: Target) -> Algorithms:
    """The profile's algorithms, host keys of the pinned kinds first.

    A server has several keys: asked in another order it would show one that nobody pinned, and a healthy
    server would look changed.
    """
    return _algorithms(target.profile, target.pins)


@lru_cache(maxsize=1024)
def _algorithms(name: str, pins: frozenset[str]) -> Algorithms:
    profile = PROFILES[name]
    pinned: list[str] = []
    for pin in sorted(pins):
        kind = parse_public_line(pin)[0]
        pinned += RSA if kind == "ssh-rsa" else (kind,)
    known = [name for name in profile.host_key if name in pinned]
    others = [name for name in profile.host_key if name not in pinned]
    return Algorithms(profile.kex, (*known, *others), profile.cipher, profile.mac, profile.signature)


def offer(target: Target) -> KexInit:
    """Our side of the negotiation, as the server reads it."""
    return _offered(algorithms(target))


def _offered(ours: Algorithms) -> KexInit:
    return KexInit(ours.kex, ours.host_key, ours.cipher, ours.cipher, ours.mac, ours.mac)


def would_legacy_do(theirs: KexInit) -> bool:
    """Whether the legacy profile finds something in common with a server that the modern one does not reach."""
    return find_mismatch(_offered(LEGACY), theirs) is None


def signs_rsa_by_sha1(theirs: KexInit) -> bool:
    """Whether a server's own keys sign by SHA-1 alone."""
    return set(theirs.host_key) <= {"ssh-rsa", "ssh-dss"}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides arrive at (RFC 4253 §7.1); ``mac`` is None where the cipher needs none."""

    kex: str | None
    host_key: str | None
    cipher: str | None
    mac: str | None

    @property
    def weak(self) -> list[str]:
        """Those that are no longer safe."""
        return [name for name in (self.kex, self.host_key, self.cipher, self.mac) if name in WEAK]


def agree(ours: KexInit, theirs: KexInit) -> Agreed:
    """By our own reading of both offers; what goes out, since servers use one list for both ways."""
    mac = None if is_sealed(ours, theirs, "mac_out") else chosen(ours.mac_out, theirs.mac_out)
    return Agreed(
        chosen(ours.kex, theirs.kex),
        chosen(ours.host_key, theirs.host_key),
        chosen(ours.cipher_out, theirs.cipher_out),
        mac,
    )
