"""Rows of large arrays on disk, read one at a time.

Pages of a memory map, once touched, count as the process's memory for as long as the system leaves them there; a row
that is read from the file does not. An array that is in memory anyway is indexed as usual.
"""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.row_file import replace_array
from efficientad.errors import DataError


class Rows(Sequence[NDArray[Any]]):
    """The rows `indices` of an array (N, ...), in that order."""

    def __init__(self, array: NDArray[Any], indices: NDArray[np.intp] | None = None) -> None:
        self.array = array
        self.indices = np.arange(len(array)) if indices is None else indices

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that these rows would make."""
        return (len(self.indices), *self.array.shape[1:])

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "NDArray[Any] | Rows":
        """Read a row, or choose some without reading them."""
        if isinstance(index, slice):
            return self.select(np.arange(len(self))[index])
        return read_row(self.array, int(self.indices[index]))

    def select(self, positions: NDArray[np.intp]) -> "Rows":
        """Return the rows at these positions of the present ones."""
        return Rows(self.array, self.indices[positions])


def read_row(array: NDArray[Any], index: int) -> NDArray[Any]:
    """Return a row of an array; a memory-mapped one is read from its file. DataError where that was cut short."""
    if not isinstance(array, np.memmap) or array.filename is None or not is_whole_map(array):
        return np.asarray(array[index])
    shape = array.shape[1:]
    count = int(np.prod(shape))
    row = np.fromfile(array.filename, array.dtype, count, offset=array.offset + int(index) * count * array.itemsize)
    if len(row) < count:
        raise DataError(
            f"expected {array.shape} in {array.filename}, row {index} is cut short; run the stage that writes it again"
        )
    return row.reshape(shape)


def keep_rows(path: Path, kept: Sequence[int]) -> None:
    """Shorten an array on disk to the rows `kept`, ascending, one by one; nothing is written where all are."""
    full = np.load(path, mmap_mode="r")
    if len(full) == len(kept):
        return
    with replace_array(path, full.dtype, (len(kept), *full.shape[1:])) as shorter:
        for target, source in enumerate(kept):
            shorter[target] = read_row(full, source)
        del full  # Windows does not replace a file that is mapped


def is_whole_map(array: NDArray[Any]) -> bool:
    """Whether a memory map is of a file's whole array; a slice of one does not know where it begins."""
    return isinstance(array.base, mmap.mmap)
