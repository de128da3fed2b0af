"""What a client really sends: a relay that records, and a reader of the messages sent in clear."""

from __future__ import annotations

from collections.abc import Iterable

from fixtures.relays import Relay


class RecordingRelay(Relay):
    """Sits between client and server and keeps every byte the client sends."""

    def __init__(self, server_port: int) -> None:
        super().__init__(server_port)
        self.sent = bytearray()

    def heard(self) -> bytearray:
        return self.sent


def clear_messages(sent: Iterable[int]) -> list[int]:
    """Numbers of the SSH messages a client sent in clear (RFC 4250 §4.1.2), up to the first encrypted one."""
    stream = bytes(sent)
    position, numbers = stream.index(b"\n") + 1, []
    while position + 6 <= len(stream) and 21 not in numbers:
        length = int.from_bytes(stream[position : position + 4], "big")
        numbers.append(stream[position + 5])
        position += 4 + length
    return numbers
