"""A server on this machine that can cut, resume, ignore ranges or send other bytes."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

PAYLOAD = np.random.default_rng(0).bytes(100_000)


class Server(ThreadingHTTPServer):
    """Serves `payload`; cuts the first `cuts` answers half-way; `ranges` says whether it honours Range."""

    payload = PAYLOAD
    cuts = 0
    ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str | None] = []
        self.paths: list[str] = []
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.url = f"{self.base}/archive.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append(asked)
        self.server.paths.append(self.path)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if self.path == "/missing":
            self.send_error(404)
        elif start and start >= len(self.server.payload):
            self.send_error(416)
        else:
            self._send(self.server.payload[start:], 206 if start else 200)

    def _send(self, body: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return
