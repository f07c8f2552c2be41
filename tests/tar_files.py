"""Archives for tests: plain ones, and such as no publisher would make."""

import io
import tarfile
from collections.abc import Mapping


def pack(files: Mapping[str, bytes], packing: str = "gz", *more: tarfile.TarInfo) -> bytes:
    """Return a tar archive of files by name, then of more members without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{packing}") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in more:
            tar.addfile(member)
    return buffer.getvalue()


def describe_member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member that is a link or a device."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member
