"""A server on this machine that can break off, hang, lie about ranges, move, refuse, or send other bytes."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

PAYLOAD = np.random.default_rng(0).bytes(100_000)


class Server(ThreadingHTTPServer):
    """Serves `payload` at every path but /missing (404) and /moved/..., which leads to the path without /moved.

    The first `cuts` answers break off half-way, the first `hangs` stop there without an end. `statuses`: answers of the
    first requests, each a code and headers. `ranges`: whether it honours Range; `lies`: what is wrong with the next
    answers to one, see `Handler._lie`. `is_chunked`: it does not say how long the file is; `is_endless`: nor does it
    end.
    """

    payload = PAYLOAD
    etag: str | None = None
    cuts = 0
    hangs = 0
    ranges = True
    is_chunked = False
    is_endless = False
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[tuple[int, dict[str, str]]] = []
        self.lies: list[str] = []
        self.requests: list[str | None] = []
        self.paths: list[str] = []
        self.closing = threading.Event()
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.url = f"{self.base}/archive.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append(asked)
        self.server.paths.append(self.path)
        if self.server.statuses:
            self._refuse(*self.server.statuses.pop(0))
        elif self.path == "/missing":
            self._refuse(404, {})
        elif self.path.startswith("/moved"):
            self._refuse(302, {"Location": self.path.removeprefix("/moved")})
        else:
            self._answer(asked)

    def _answer(self, asked: str | None) -> None:
        body, size = self.server.payload, len(self.server.payload)
        condition = self.headers.get("If-Range")
        is_range = asked is not None and self.server.ranges and condition in (None, self.server.etag)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if is_range else 0
        headers = {"ETag": self.server.etag} if self.server.etag else {}
        if is_range and start >= size:
            self._refuse(416, {"Content-Range": f"bytes */{size}"})
        elif is_range:
            headers |= {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": str(size - start)}
            self._send(206, *self._lie(headers, body, start))
        else:
            self._send(200, headers | {"Content-Length": str(size)}, body)

    def _lie(self, headers: dict[str, str], body: bytes, start: int) -> tuple[dict[str, str], bytes]:
        lie, size = self.server.lies.pop(0) if self.server.lies else "", len(body)
        if lie == "another start":
            headers["Content-Range"] = f"bytes {start - 1}-{size - 2}/{size}"
        elif lie == "no range":
            del headers["Content-Range"]
        elif lie == "another total":
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size + 1}"
        elif lie == "another length":
            headers["Content-Length"] = str(size - start - 1)
        elif lie == "no version":
            del headers["ETag"]
        elif lie == "another version":
            headers["ETag"] = '"other"'
        elif lie == "other bytes":
            body = bytes(size)
        return headers, body[start:]

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        if self.server.is_chunked or self.server.is_endless:
            del headers["Content-Length"]
        if self.server.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.server.is_chunked:
            body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        if self.server.cuts or self.server.hangs:
            body = body[: len(body) // 2]
        self._write(body)

    def _write(self, body: bytes) -> None:
        try:
            self.wfile.write(body)
            while self.server.is_endless:
                self.wfile.write(body)
        except ConnectionError:
            return
        if self.server.hangs:
            self.server.hangs -= 1
            self.wfile.flush()
            self.server.closing.wait(60)
        elif self.server.cuts:
            self.server.cuts -= 1

    def _refuse(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return
