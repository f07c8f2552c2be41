"""One request of an HTTP transfer, which continues what earlier ones left (ranges: RFC 9110, section 14).

Beside the part lies a note of where it came from. A server's word is checked against it: an answer that starts at
another byte, belongs to a file of another length or has another ETag is not appended.
"""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from efficientad.data.download.checksums import Progress
from efficientad.errors import DownloadError

TIMEOUT_S = 60.0
"""Without a byte for this long, a transfer counts as broken off."""

_CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class RangeError(http.client.HTTPException):
    """The server's answer does not continue the part."""


@dataclass(frozen=True)
class Origin:
    """Where a part came from: address, length of the whole file in bytes, and a strong ETag, if they are known."""

    address: str
    total: int | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the server sends: bytes `start` to `end` (not included) of a file; None: it does not say."""

    start: int
    end: int | None
    origin: Origin


def transfer(address: str, part: Path, *, checked: bool, limit: int | None, progress: Progress | None) -> bool:
    """Append what is missing to `part` and return whether it continued an earlier try.

    `checked`: a checksum will judge the whole, so that a part may be continued without an ETag, from a mirror, too.
    Raises OSError or HTTPException where the transfer breaks, DownloadError where more than `limit` bytes come.
    """
    known, start = _recall(part), part.stat().st_size if part.is_file() else 0
    is_same = known.address == address and known.etag is not None
    if not (is_same or checked):
        start = 0
    if start and known.total == start:
        return True
    try:
        response = _ask(address, start, known.etag if is_same else None)
    except urllib.error.HTTPError as error:
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            error.close()
            return _judge_unsatisfiable(error.headers.get("Content-Range"), part, start, checked)
        raise
    with response:
        try:
            answer = _read_answer(response, address, start, known)
            _check_limit(answer.end or 0, limit, address)
            _receive(response, answer, part, limit, progress)
        except (RangeError, DownloadError):
            forget(part)
            raise
    return answer.start > 0


def _ask(address: str, start: int, etag: str | None) -> Any:
    """Send the request, for the bytes from `start` if the file still has the ETag."""
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and etag is not None:
        headers["If-Range"] = etag
    opener = urllib.request.build_opener()  # reads the environment's proxies
    # http, https or file: the command `download` refuses other addresses, and urllib other redirections.
    return opener.open(urllib.request.Request(address, headers=headers), timeout=TIMEOUT_S)  # noqa: S310


def forget(part: Path) -> None:
    """Delete a part and its note."""
    part.unlink(missing_ok=True)
    _locate_note(part).unlink(missing_ok=True)


def _read_answer(response: Any, address: str, start: int, known: Origin) -> Answer:
    """Return what comes; RangeError where it does not continue the part as the request asked."""
    headers = response.headers
    length = headers.get("Content-Length")
    etag = headers.get("ETag")
    etag = None if etag is None or etag.startswith("W/") else etag  # a weak one does not promise equal bytes
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        total = None if length is None else int(length)
        return Answer(0, total, Origin(address, total, etag))
    match = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None:
        raise RangeError("the server sent a part of the file and did not say which")
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if first != start or (length is not None and int(length) != last + 1 - first):
        raise RangeError(f"asked for the bytes from {start}, the server sent others")
    if known.total not in (None, total) and start:
        raise RangeError(f"expected {known.total} bytes in all, the server has {total} now")
    if start and known.address == address and None not in (known.etag, etag) and known.etag != etag:
        raise RangeError("the file was changed on the server")
    return Answer(first, last + 1, Origin(address, total, etag))


def _receive(response: Any, answer: Answer, part: Path, limit: int | None, progress: Progress | None) -> None:
    received = answer.start
    with part.open("ab" if answer.start else "wb") as file:
        _remember(part, answer.origin)
        while chunk := response.read1(_CHUNK_BYTES):
            received += len(chunk)
            _check_limit(received, limit, answer.origin.address)
            file.write(chunk)
            if progress is not None:
                progress(received, answer.origin.total)
        file.flush()
        os.fsync(file.fileno())
    end = answer.origin.total if answer.origin.total is not None else answer.end
    if end is not None and received < end:
        raise http.client.IncompleteRead(b"", end - received)


def _check_limit(size: int, limit: int | None, address: str) -> None:
    if limit is not None and size > limit:
        raise DownloadError(f"expected at most {limit} bytes from {address}, more came; it is another file, look at it")


def _judge_unsatisfiable(content_range: str | None, part: Path, start: int, checked: bool) -> bool:
    """Return True where the server, or the checksum later, says that the part is the whole; else RangeError."""
    if content_range == f"bytes */{start}" or (content_range is None and checked):
        return True
    forget(part)
    raise RangeError(f"the part has {start} bytes, the server's file is another ({content_range})")


def _locate_note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _remember(part: Path, origin: Origin) -> None:
    _locate_note(part).write_text(json.dumps(asdict(origin)), encoding="utf-8")


def _recall(part: Path) -> Origin:
    try:
        return Origin(**json.loads(_locate_note(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Origin("")
