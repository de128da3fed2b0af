"""A small SMTP server in a thread (RFC 5321, as much of it as a client of ours speaks): keeps or refuses mails."""

import asyncio
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


@dataclass
class MailServer:
    """Listens on loopback; `refuse` maps a word of the dialogue (RCPT, DATA …), or one recipient, to the answer it gets
    instead; each answer takes `seconds`.
    """

    refuse: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=32 * 1024**2), self._loop
        )
        self._server = started.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        while line := await reader.readline():
            verb = line.decode("ascii", "replace").split(":")[0].split()[0].upper()
            recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == "RCPT" and recipient in self.refuse:
                verb = recipient
            if verb == "DATA" and verb not in self.refuse:
                writer.write(b"354 go on\r\n")
                self.mails.append(_parsed(await reader.readuntil(b"\r\n.\r\n")))
            elif verb == "RCPT" and verb not in self.refuse:
                self.recipients.append(recipient)
            answer = self.refuse.get(
                verb, {"EHLO": "250 mail.example", "QUIT": "221 bye"}.get(verb, "250 ok")
            )
            await asyncio.sleep(self.seconds)
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()


def _parsed(data: bytes) -> EmailMessage:
    mail = message_from_bytes(data.replace(b"\r\n..", b"\r\n.")[:-5], policy=policy.SMTP)
    assert isinstance(mail, EmailMessage)
    return mail
