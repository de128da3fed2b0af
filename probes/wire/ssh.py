"""The opening of an SSH server in clear: identification line and KEXINIT (RFC 4253 §4.2, §6, §7.1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from probes.wire import WireError

LONGEST_LINE = 255
LONGEST_PACKET = 35000
MSG_KEXINIT = 20
# Release notes: the first version of each server that accepts a kind of key from its users.
SINCE = {
    ("OpenSSH", "ecdsa-sha2-nistp256"): (5, 7),
    ("OpenSSH", "ecdsa-sha2-nistp384"): (5, 7),
    ("OpenSSH", "ecdsa-sha2-nistp521"): (5, 7),
    ("OpenSSH", "ssh-ed25519"): (6, 5),
    ("dropbear", "ssh-ed25519"): (2020, 79),
}
DEBIAN_RELEASE = re.compile(r"(?:\+deb|~deb|deb)(\d+)u")


@dataclass(frozen=True, slots=True)
class Identification:
    """The identification line: ``SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3``."""

    line: str
    protocol: str
    software: str
    comment: str

    @property
    def speaks_2(self) -> bool:
        """1.99 is a 2.0 server that also tolerates SSH 1 clients (RFC 4253 §5.1)."""
        return self.protocol in ("2.0", "1.99")

    def predates(self, key_kind: str) -> bool:
        """Whether this software is known to be older than its own support of a kind of key."""
        match = re.match(r"(OpenSSH|dropbear)_(\d+)\.(\d+)", self.software)
        since = SINCE.get((match[1], key_kind)) if match else None
        return bool(match and since and (int(match[2][:9]), int(match[3][:9])) < since)

    def described(self) -> str:
        """For people: ``OpenSSH 8.4p1, Debian 11``."""
        name = self.software.replace("_", " ", 1)
        name = name[:1].upper() + name[1:]
        return ", ".join(part for part in (name, _system(self.comment)) if part)


def _system(comment: str) -> str:
    """The distribution as far as the comment tells it; package revisions say nothing to people."""
    if release := DEBIAN_RELEASE.search(comment):
        return f"{'Raspbian' if comment.startswith('Raspbian') else 'Debian'} {release[1]}"
    return re.split(r"[-_\s]", comment, maxsplit=1)[0]


def find_identification(opening: bytes) -> tuple[Identification, int] | None:
    """The identification line and the offset after it; None while it has not fully arrived.

    A server may send other lines before it (RFC 4253 §4.2). Raises WireError for a broken line.
    """
    start = 0
    while (end := opening.find(b"\n", start)) >= 0:
        line = opening[start:end].rstrip(b"\r")
        if line.startswith(b"SSH-"):
            return _identification(line), end + 1
        start = end + 1
    return None


@lru_cache(maxsize=256)
def _identification(line: bytes) -> Identification:
    if len(line) > LONGEST_LINE:
        raise WireError("identification line too long")
    text = line.decode("latin-1")
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "?" for character in text)
    match = re.fullmatch(r"SSH-([0-9.]+)-(\S*)(?: (.*))?", text)
    if match is None:
        raise WireError("identification line without protocol and software")
    return Identification(text, match[1], match[2], match[3] or "")


@dataclass(frozen=True, slots=True)
class KexInit:
    """What a side offers, in its order of preference (RFC 4253 §7.1)."""

    kex: tuple[str, ...]
    host_key: tuple[str, ...]
    cipher_out: tuple[str, ...]
    cipher_in: tuple[str, ...]
    mac_out: tuple[str, ...]
    mac_in: tuple[str, ...]


def read_kexinit(opening: bytes) -> KexInit:
    """The KEXINIT after the identification line; raises WireError if it is not (wholly) there."""
    found = find_identification(opening)
    if found is None:
        raise WireError("no identification line")
    payload = _payload(opening[found[1] :])
    if not payload or payload[0] != MSG_KEXINIT:
        raise WireError("first packet is not KEXINIT")
    lists, position = [], 17  # message number and 16 bytes of cookie
    for _ in range(6):
        names, position = _name_list(payload, position)
        lists.append(names)
    return KexInit(*lists)


def _payload(packet: bytes) -> bytes:
    """Payload of an unencrypted binary packet (RFC 4253 §6)."""
    if len(packet) < 5:
        raise WireError("packet cut short")
    length, padding = int.from_bytes(packet[:4], "big"), packet[4]
    if not padding + 1 < length <= LONGEST_PACKET or len(packet) < 4 + length:
        raise WireError("packet length out of range or packet cut short")
    return packet[5 : 4 + length - padding]


def _name_list(payload: bytes, position: int) -> tuple[tuple[str, ...], int]:
    """A name-list (RFC 4251 §5) and the position after it."""
    start = position + 4
    end = start + int.from_bytes(payload[position:start], "big")
    if len(payload) < start or end > len(payload):
        raise WireError("name-list runs past the packet")
    return _names(payload[start:end]), end


@lru_cache(maxsize=64)
def _names(text: bytes) -> tuple[str, ...]:
    """The same few lists come from every server of a version; few are kept, since hostile ones have 35 kB."""
    return tuple(name for name in text.decode("ascii", "replace").split(",") if name)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first negotiation without a common algorithm."""

    what: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


AEAD = ("gcm@openssh.com", "chacha20-poly1305@openssh.com")


def find_mismatch(ours: KexInit, theirs: KexInit) -> Mismatch | None:
    """Which list has nothing in common, if any: the reason why a key exchange must fail."""
    for what in ("kex", "host_key", "cipher_out", "cipher_in", "mac_out", "mac_in"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if what.startswith("mac") and is_sealed(ours, theirs, what):
            continue
        if chosen(mine, other) is None:
            return Mismatch(what.partition("_")[0] if what != "host_key" else what, mine, other)
    return None


def is_sealed(ours: KexInit, theirs: KexInit, what: str) -> bool:
    """Whether the cipher authenticates by itself and needs no MAC, so that list may be disjoint."""
    way = what.removeprefix("mac_")
    cipher = chosen(getattr(ours, f"cipher_{way}"), getattr(theirs, f"cipher_{way}"))
    return cipher is not None and cipher.endswith(AEAD)


def chosen(client: tuple[str, ...], server: tuple[str, ...]) -> str | None:
    """The client's first algorithm that the server has too (RFC 4253 §7.1)."""
    return next((name for name in client if name in server), None)
