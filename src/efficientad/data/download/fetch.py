"""Fetch one file: again and again until it is whole, checked, and in place only then."""

import contextlib
import errno
import http.client
import os
import ssl
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

from efficientad.data.download.checksums import Checksum, Phase, Progress, compute_checksum, matches
from efficientad.data.download.transfer import forget, transfer
from efficientad.errors import DownloadError

Pause = Callable[[float, str], object]
"""`pause(seconds, reason)` waits before another try."""

ATTEMPTS = 5
LONGEST_PAUSE_S = 60.0
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
_TRY_AGAIN = {408, 425, 429}


def wait(seconds: float, _: str) -> None:
    """Sleep."""
    time.sleep(seconds)


def fetch_file(
    address: str,
    path: Path,
    checksum: Checksum | None = None,
    *,
    limit: int | None = None,
    phase: Phase = lambda _: None,
    attempts: int = ATTEMPTS,
    pause: Pause = wait,
) -> Path:
    """Fetch `address` (http, https or file) into the file `path` and return it.

    A file with the right checksum, or any where none is given, is kept as it is. The bytes are gathered in
    `<path>.part`, which a later call continues. A proxy is taken from the environment (http_proxy, https_proxy,
    no_proxy), the certificates from the system (SSL_CERT_FILE names others). `limit`: bytes that may come. The phases
    are "download" and "check".
    After `attempts` tries in a row that brought nothing new it gives up; between them it pauses 1, 2, 4 ... s, or as
    long as the server asks.

    Raises DownloadError when the server cannot be reached, refuses, or breaks off too often, and when the checksum is
    not as expected: a file that was continued is fetched once more from its beginning before that.
    """
    if path.is_file() and (checksum is None or matches(path, checksum, phase("check"))):
        return path
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    for is_second in (False, True):
        progress = phase("download")
        was_continued = _fetch_whole(address, part, checksum is not None, limit, progress, attempts, pause)
        if checksum is None or matches(part, checksum, phase("check")):
            break
        came = compute_checksum(part, checksum.kind)
        forget(part)
        if is_second or not was_continued:
            raise DownloadError(
                f"expected {checksum} for {address}, got {came}: another file, which was deleted; "
                "try again, or it was changed at its source"
            )
    part.replace(path)
    forget(part)
    return path


@contextlib.contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Make the folder, and let one process at a time work in it (not on Windows, which cannot lock a folder).

    Raises DownloadError where another one does. The lock ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise DownloadError(
            f"expected {folder} for this download alone, another one works in it; wait for it"
        ) from error
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(handle)


def _fetch_whole(
    address: str,
    part: Path,
    checked: bool,
    limit: int | None,
    progress: Progress | None,
    attempts: int,
    pause: Pause,
) -> bool:
    """Call `transfer` until the part is whole; return whether the last call continued another one's bytes."""
    failures, largest = 0, _measure(part)
    while True:
        try:
            return transfer(address, part, checked=checked, limit=limit, progress=progress)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
                raise
            failures = 1 if _measure(part) > largest else failures + 1
            largest = max(largest, _measure(part))
            if failures >= attempts or _is_final(error):
                raise DownloadError(f"expected {address}, {_explain(error)}; try again, what came is kept") from error
            pause(_choose_pause(error, failures), _explain(error))


def _measure(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _is_final(error: Exception) -> bool:
    """Return whether another try cannot help: the server refuses (4xx), its certificate is unknown, no such file."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code < 500 and error.code not in _TRY_AGAIN
    final = (ssl.SSLCertVerificationError, FileNotFoundError)
    return isinstance(error, urllib.error.URLError) and isinstance(error.reason, final)


def _choose_pause(error: Exception, failures: int) -> float:
    asked = error.headers.get("Retry-After", "") if isinstance(error, urllib.error.HTTPError) else ""
    return min(LONGEST_PAUSE_S, float(asked) if asked.isdecimal() else 2.0 ** (failures - 1))


def _explain(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        reason = f"the server answered {error.code} {error.reason}"
    elif isinstance(error, http.client.IncompleteRead):
        reason = f"the transfer broke off {error.expected} bytes before its end"
    else:
        reason = f"the transfer failed: {getattr(error, 'reason', None) or error or type(error).__name__}"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        reason += " (a company's own certificates: name their file in SSL_CERT_FILE)"
    return reason
