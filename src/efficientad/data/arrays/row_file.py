"""An array on disk that is written row by row.

By plain writes and not through a memory map: on a full disk a map ends the process without a word, a write is an error.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from efficientad.pipeline.writing import replacing, write_bytes


class RowFile:
    """The rows of an array of a dtype and shape (N, ...) in an open .npy file; a row not written is zero."""

    def __init__(self, file: BinaryIO, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self.file, self.dtype, self.shape = file, np.dtype(dtype), shape
        self.head = _write_head(self.dtype, shape)
        self.row_bytes = int(np.prod(shape[1:])) * self.dtype.itemsize

    @property
    def whole_bytes(self) -> int:
        """The size of the whole file."""
        return len(self.head) + self.shape[0] * self.row_bytes

    def begin(self) -> None:
        """Write the head, and zeros in place of all rows."""
        self.file.seek(0)
        self.file.truncate(0)
        self.file.write(self.head)
        self.file.truncate(self.whole_bytes)

    def __setitem__(self, index: int, row: Any) -> None:
        """Write a row, or one value into all of its places."""
        values = np.ascontiguousarray(np.broadcast_to(np.asarray(row, self.dtype), self.shape[1:]))
        if not 0 <= index < self.shape[0]:
            raise IndexError(index)
        self.file.seek(len(self.head) + index * self.row_bytes)
        self.file.write(values.tobytes())

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())


@contextmanager
def replace_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> Iterator[RowFile]:
    """Hand out a new array; at the end of the block it takes the place of `path`, as `replacing` does."""
    with replacing(path) as part, part.open("wb") as file:
        rows = RowFile(file, dtype, shape)
        rows.begin()
        yield rows
        rows.sync()


@contextmanager
def continue_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> Iterator[tuple[RowFile, bool]]:
    """Hand out the array that an interrupted process left in `path`, and whether it is whole; else a new one.

    For work in progress alone: the file has its name from the start.
    """
    path.touch()
    with path.open("r+b") as file:
        rows = RowFile(file, dtype, shape)
        is_whole = path.stat().st_size == rows.whole_bytes and file.read(len(rows.head)) == rows.head
        if not is_whole:
            rows.begin()
        yield rows, is_whole
        rows.sync()


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a small array as `replacing` does."""
    content = io.BytesIO()
    np.save(content, array)
    write_bytes(path, content.getvalue())


def _write_head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    head = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    return head.getvalue()
