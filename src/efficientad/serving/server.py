"""Listening, and stopping gracefully: what is being judged is answered first."""

import os
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from efficientad.errors import EfficientADError
from efficientad.serving.guard import is_loopback

TOKEN_VARIABLE = "EFFICIENTAD_TOKEN"  # noqa: S105  (where the token is, not what it is)
_SHORTEST_TOKEN = 16
_CONNECTIONS = 256
_GRACE_S = 30


class Certificate(NamedTuple):
    """Files of a certificate and its private key, PEM."""

    file: Path
    key: Path


def find_certificate(file: Path | None, key: Path | None) -> Certificate | None:
    """Return the certificate, None where neither file is named; EfficientADError where they do not fit together."""
    if file is None and key is None:
        return None
    if file is None or key is None:
        raise EfficientADError("expected --tls-certificate and --tls-key, got one of them; name both")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, key)
    except OSError as error:
        raise EfficientADError(f"expected a certificate in {file} and its key in {key}, got {error}") from error
    return Certificate(file, key)


def read_token(file: Path | None, host: str) -> str | None:
    """Return the token that requests must carry: of the file, else of the environment, else None.

    Raises EfficientADError for one that is short or not of printable ASCII characters, and where there is none though
    the host is reached from other machines.
    """
    source = TOKEN_VARIABLE if file is None else str(file)
    token = os.environ.get(TOKEN_VARIABLE, "") if file is None else file.read_text("utf-8").strip()
    if not token and file is None:
        if is_loopback(host):
            return None
        raise EfficientADError(
            f"expected a token to serve at {host}, which other machines reach, got none; name a --token-file, or set "
            f"{TOKEN_VARIABLE}"
        )
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise EfficientADError(
            f"expected {_SHORTEST_TOKEN} or more letters and digits in {source}, got {len(token)} characters; "
            "`openssl rand -hex 32` makes some"
        )
    return token


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; EfficientADError where it cannot. Port 0 stands for any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_CONNECTIONS)
    except OSError as error:
        raise EfficientADError(f"expected a free port {port} at {host}, got {error}; name another --port") from error


def name_address(listening: socket.socket, certificate: Certificate | None = None) -> str:
    """Return the address for a browser."""
    host, port = listening.getsockname()[:2]
    scheme = "http" if certificate is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def build_server(app: ASGIApp, certificate: Certificate | None = None) -> uvicorn.Server:
    """Return a server that, when told to stop, answers what is in work first, for half a minute at most."""
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, ws="none",
            limit_concurrency=_CONNECTIONS, timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=certificate and certificate.file, ssl_keyfile=certificate and certificate.key,
        )
    )  # fmt: skip


def serve(server: uvicorn.Server, listening: socket.socket, announce: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)  # uvicorn catches them while it serves, and raises them once more at its end
    announce()
    server.run(sockets=[listening])


def _ignore(_number: int, _frame: object) -> None:
    return
