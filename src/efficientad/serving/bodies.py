"""Reading a request's body within limits of size and time, and the one file in it."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from efficientad.serving.refusals import Refusal

_FORM = "multipart/form-data"
_MOST_FIELDS = 16  # beside the file


async def read_body(request: Request, most_bytes: int, seconds: float) -> bytes:
    """Return the body; Refusal where it is larger, by its announced length or as it comes, or takes longer."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _refuse_size(most_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise _refuse_size(most_bytes)
    except TimeoutError as error:
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, f"expected the whole body within {seconds:g} s") from error
    except ClientDisconnect as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the client went away") from error
    return bytes(body)


async def find_upload(request: Request, body: bytes) -> bytes:
    """Return the file in a form's body; any other body is the file itself, whatever its type says.

    Raises Refusal where a form holds no file, or several.
    """
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        return body

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, replay).form(max_files=1, max_fields=_MOST_FIELDS) as form:
        for value in form.values():
            if isinstance(value, UploadFile):
                return await value.read()
    raise Refusal(HTTPStatus.BAD_REQUEST, "expected an image file in the form, got none; send one")


def _refuse_size(most_bytes: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"expected a body of at most {most_bytes / 1e6:g} MB; send a smaller image, or raise --max-megabytes",
    )
