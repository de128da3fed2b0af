"""A network that swallows answers: the server has done its work and said so, and the client never hears it."""

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class AnswerEater(ThreadingHTTPServer):
    """Passes requests on; while `eats`, answers are read to their end and the client's connection is reset."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target_port = target_port
        self.eats = True
        self.eaten: list[int] = []
        """Status of each answer that nobody heard."""

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self.server_address[1])


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AnswerEater

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        onward = http.client.HTTPConnection("127.0.0.1", self.server.target_port, timeout=60)
        onward.request("POST", self.path, body, dict(self.headers.items()))
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        if self.server.eats:
            self.server.eaten.append(answer.status)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date", "server", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@contextmanager
def eating_answers_of(port: int) -> Iterator[AnswerEater]:
    """Such a network in front of a server."""
    with AnswerEater(port) as eater:
        thread = threading.Thread(target=eater.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield eater
        finally:
            eater.shutdown()
            thread.join()
