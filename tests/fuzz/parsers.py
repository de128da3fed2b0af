"""Every parser of bytes that a far end sends: whatever it is given, it returns or raises WireError."""

from __future__ import annotations

from collections.abc import Callable

from probes.wire import WireError, credssp, greetings, ntlm, rfb, rfb_update, ssh, x224, xwd

PARSERS: tuple[Callable[[bytes], object], ...] = (
    credssp.message_length,
    credssp.read_request,
    greetings.name_service,
    greetings.is_throttling,
    ntlm.find_challenge,
    rfb.can_be_version,
    rfb.parse_version,
    rfb.parse_count,
    rfb.parse_subtypes,
    rfb.parse_server_init,
    rfb.shown_text,
    lambda given: rfb_update.parse_rectangle(given, 640, 480),
    lambda given: rfb_update.parse_length(given[0] if given else 0, given[1:]),
    ssh.find_identification,
    ssh.read_kexinit,
    x224.packet_length,
    x224.read_confirm,
    xwd.parse_screen,
)


def try_all(given: bytes) -> int:
    """Give the bytes to every parser; how many could read them. Anything but WireError is a fault of ours."""
    read = 0
    for parse in PARSERS:
        try:
            parse(given)
            read += 1
        except WireError:
            continue
    return read
