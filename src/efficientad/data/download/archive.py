"""Unpack a tar archive that may be damaged or mean harm."""

import shutil
import tarfile
import zlib
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from efficientad.data.download.checksums import Progress
from efficientad.errors import DownloadError

LARGEST_COUNT = 100_000
"""Files and folders in one archive; the largest data set has 13,500."""

_LARGEST_HEADER = 1 << 20
"""Bytes of a long name or of other facts about a file; tarfile reads them into memory before it tells of the file."""


class _Header(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type not in tarfile.REGULAR_TYPES and header.size > _LARGEST_HEADER:
            raise tarfile.TarError(f"a header of {header.size} bytes")
        return header


def unpack_tar(archive: Path, folder: Path, *, limit: int, strip: int = 0, progress: Progress | None = None) -> None:
    """Unpack a tar archive (plain, gz, bz2 or xz) into `folder`.

    Only plain files and folders are made, with the permissions that new files have here; `strip` leading parts of
    their names are left out. `progress` counts bytes of the archive.

    Raises DownloadError for a name that leads out of the folder or comes twice, a link, a device, more than `limit`
    bytes in all or LARGEST_COUNT members, and for a damaged archive. The disk is not filled before that is noticed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with archive.open("rb") as packed, _open_stream(packed) as tar:
            for count, member in enumerate(tar, start=1):
                size += member.size
                if size > limit or count > LARGEST_COUNT:
                    raise _refuse(archive, f"it unpacks to more than {limit} bytes or {LARGEST_COUNT} files")
                _unpack_member(tar, member, folder, strip, archive)
                if progress is not None:
                    progress(packed.tell(), archive.stat().st_size)
    except (tarfile.TarError, EOFError, LZMAError, zlib.error) as error:
        raise _refuse(archive, f"it is no whole tar archive ({error})") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise _refuse(archive, f"it holds a name twice ({error.filename})") from error


def _open_stream(packed: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=packed, mode="r|*", tarinfo=_Header)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, strip: int, archive: Path) -> None:
    if not (member.isdir() or member.isreg()):
        raise _refuse(archive, f"{member.name} is a link or a device")
    target = folder.joinpath(*_read_name(member.name, archive)[strip:])
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    if target == folder:
        raise _refuse(archive, f"{member.name} lies outside of a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None  # a plain file
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)


def _read_name(name: str, archive: Path) -> tuple[str, ...]:
    """Return the parts of a member's name; characters that lead elsewhere on some system are refused on all."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or set(name) & set("\\:\0"):
        raise _refuse(archive, f"the name {name!r} leads out of its folder")
    return path.parts


def _refuse(archive: Path, reason: str) -> DownloadError:
    return DownloadError(f"cannot unpack {archive}: {reason}; nothing of it was kept, get it from its publisher")
