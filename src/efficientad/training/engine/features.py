"""Features of images, computed once and kept on disk, with the statistics of their channels.

A row is read with a plain read: pages of a memory map would count as this process's memory.
"""

import io
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from efficientad.errors import DataError
from efficientad.pipeline.progress import Progress
from efficientad.pipeline.writing import write_bytes
from efficientad.training.engine.checkpoints import DAMAGED
from efficientad.training.engine.statistics import ChannelStatistics

_MARK_EVERY = 20.0  # seconds
_ANEW = "remove its folder and run `dvc repro` again"


@dataclass(frozen=True)
class FeatureFile:
    """The first `kept` rows of features (channels, height, width), channels last, in the file `path`."""

    path: Path
    shape: tuple[int, int, int]
    dtype: torch.dtype
    kept: int

    @property
    def row_bytes(self) -> int:
        """How many bytes of the file an image takes."""
        channels, height, width = self.shape
        return channels * height * width * self.dtype.itemsize

    def read(self, index: int) -> Tensor:
        """Return the features of one image, (C, h, w) with channels last in memory; DataError for a file cut short."""
        channels, height, width = self.shape
        with self.path.open("rb") as file:
            file.seek(index * self.row_bytes)
            content = file.read(self.row_bytes)
        if len(content) < self.row_bytes:
            raise DataError(
                f"expected the features of {self.kept} images in {self.path}, image {index} is cut short; {_ANEW}"
            )
        row = torch.frombuffer(bytearray(content), dtype=self.dtype)
        return row.view(height, width, channels).permute(2, 0, 1)


def write_features(
    compute: Callable[[slice], Tensor],
    count: int,
    batch_size: int,
    file: FeatureFile,
    label: str = "features",
    sync: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Fill `file` and return mean and standard deviation (1, C, 1, 1) of the channels over all `count` images.

    `compute` gives the features (B, C, h, w) of the images in a slice. The statistics are of all of them, rounded
    as `compute` gives them; the file keeps the first `file.kept` in its own dtype. A pass that was interrupted goes
    on where it left off, less than half a minute back; one that is complete is not repeated; one whose file was cut
    short begins anew, with a warning. `label` names the pass where its progress is shown. `sync` waits until what
    `compute` wrote itself is on the disk. Raises ModelError as `ChannelStatistics.finish`.
    """
    mark = locate_mark(file)
    file.path.touch()
    done, statistics = _load_mark(mark, file)
    saved = time.monotonic()
    with file.path.open("r+b") as handle, Progress(label, count, done) as progress:
        handle.truncate(min(done, file.kept) * file.row_bytes)
        handle.seek(0, 2)
        while done < count:
            features = compute(slice(done, min(done + batch_size, count)))
            statistics.update(features)
            rows = features[: max(0, file.kept - done)].to("cpu", file.dtype).permute(0, 2, 3, 1).flatten()
            handle.write(rows.view(torch.uint8).numpy().data)
            done += len(features)
            progress.show(done)
            if done == count or time.monotonic() - saved > _MARK_EVERY:
                handle.flush()
                os.fsync(handle.fileno())  # before the mark, which says that it is there
                sync()
                _save_mark(mark, done, statistics)
                saved = time.monotonic()
    return statistics.finish()


def locate_mark(file: FeatureFile) -> Path:
    """Return the file that says how far a pass is."""
    return file.path.with_suffix(".mark")


def _load_mark(path: Path, file: FeatureFile) -> tuple[int, ChannelStatistics]:
    """Return how many images are done, and their statistics; nothing where the mark or the file is damaged."""
    if not path.is_file():
        return 0, ChannelStatistics()
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        done, statistics = int(state["done"]), ChannelStatistics(**state["statistics"])
    except DAMAGED as error:
        print(f"warning: expected a mark at {path}, reading failed: {error}; the features are computed anew")
        return 0, ChannelStatistics()
    expected, found = min(done, file.kept) * file.row_bytes, file.path.stat().st_size
    if found < expected:
        print(f"warning: expected {expected} bytes in {file.path}, found {found}; the features are computed anew")
        return 0, ChannelStatistics()
    return done, statistics


def _save_mark(path: Path, done: int, statistics: ChannelStatistics) -> None:
    content = io.BytesIO()
    torch.save({"done": done, "statistics": asdict(statistics)}, content)
    write_bytes(path, content.getvalue())
