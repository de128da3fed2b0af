"""What real servers say, to begin from: bytes of the protocols' own documents and of servers that we met."""

from __future__ import annotations

import struct


def _kexinit() -> bytes:
    names = (
        b"curve25519-sha256,diffie-hellman-group14-sha1",
        b"ssh-ed25519,ssh-rsa",
        *[b"aes128-ctr"] * 2,
        *[b"hmac-sha1"] * 2,
    )
    lists = (*names, b"none", b"none", b"", b"")
    payload = b"\x14" + bytes(16) + b"".join(struct.pack(">I", len(text)) + text for text in lists) + bytes(5)
    padding = 8 - (len(payload) + 5) % 8 + 4
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


SEEDS = (
    b"SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3\r\n" + _kexinit(),
    b"220 mail.example.com ESMTP Postfix\r\n",
    b"Exceeded MaxStartups\r\n",
    b"RFB 003.008\n",
    b"\x01\x13",
    b"\x00\x00\x00\x02\x00\x00\x01\x07",
    struct.pack(">HHB15xI", 1024, 768, 32, 5),
    bytes.fromhex("030000130ed000001234000209080002000000"),
    bytes.fromhex("030000130ed000001234000309080005000000"),
    bytes.fromhex("300da003020106a106300430023000"),
    struct.pack(">HHHHi", 0, 0, 640, 480, 0),
    b"\x03" + bytes(3) + struct.pack(">I", 5),
    struct.pack(
        ">25I", 107, 7, 2, 24, 1280, 800, 0, 0, 32, 0, 32, 32, 5120, 4, 0, 0, 0, 8, 256, 256, *[0] * 5
    ),
    b"NTLMSSP\x00\x02\x00\x00\x00\x04\x00\x04\x008\x00\x00\x00\x15\x82\x8a\xe2" + bytes(28) + b"P\x00B\x00",
)
