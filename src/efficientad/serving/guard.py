"""Who may ask, and what browsers are told: token, host names, security headers."""

import hmac
import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from efficientad.serving.refusals import write_error

OPEN = ("/", "/v2/health/live", "/v2/health/ready")  # without a token: the page asks for it, a watchdog has none
OPEN_FOLDER = "/page/"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "media-src 'self' blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """The application behind the checks.

    With a token, requests carry it: `Authorization: Bearer TOKEN`. Without one the server listens on this machine
    alone; then the host's name in a request must be this machine's, so that no other site's page reaches it by a name
    of its own that leads here (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on; either answer has the security headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await (self._refuse(scope) or self.app)(scope, receive, send_secured)

    def _refuse(self, scope: Scope) -> JSONResponse | None:
        headers, path = Headers(scope=scope), scope["path"]
        if headers.get("sec-fetch-site") == "cross-site" and scope["method"] != "GET":
            return write_error(HTTPStatus.FORBIDDEN, "expected a request of this server's own page, got another site's")
        if self.token is None:
            if not is_loopback(_read_host(headers)):
                return write_error(HTTPStatus.FORBIDDEN, "expected this machine's name in Host, such as 127.0.0.1")
        elif path not in OPEN and not path.startswith(OPEN_FOLDER) and not self._has_token(headers):
            challenge = {"WWW-Authenticate": "Bearer"}
            return write_error(HTTPStatus.UNAUTHORIZED, "expected the header Authorization: Bearer TOKEN", challenge)
        return None

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), str(self.token).encode())


def _read_host(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:  # brackets without an address in them
        return ""


def is_loopback(host: str) -> bool:
    """Say whether a name or address of a host is this machine's alone.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "station-7", "")]
    [True, True, True, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
