"""Features of images, computed once and kept on disk, with the statistics of their channels.

A row is read with a plain read: pages of a memory map would count as this process's memory.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from efficientad.pipeline.progress import Progress
from efficientad.training.engine.statistics import ChannelStatistics

_MARK_EVERY = 20.0  # seconds


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
        """Return the features of one image, (C, h, w) with channels last in memory."""
        channels, height, width = self.shape
        with self.path.open("rb") as file:
            file.seek(index * self.row_bytes)
            row = torch.frombuffer(bytearray(file.read(self.row_bytes)), dtype=self.dtype)
        return row.view(height, width, channels).permute(2, 0, 1)


def write_features(
    compute: Callable[[slice], Tensor], count: int, batch_size: int, file: FeatureFile, label: str = "features"
) -> tuple[Tensor, Tensor]:
    """Fill `file` and return mean and standard deviation (1, C, 1, 1) of the channels over all `count` images.

    `compute` gives the features (B, C, h, w) of the images in a slice. The statistics are of all of them, rounded
    as `compute` gives them; the file keeps the first `file.kept` in its own dtype. A pass that was interrupted goes
    on where it left off, less than half a minute back; one that is complete is not repeated. `label` names the pass
    where its progress is shown. Raises ModelError as `ChannelStatistics.finish`.
    """
    mark = file.path.with_suffix(".mark")
    done, statistics = _load_mark(mark)
    file.path.touch()
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
                _save_mark(mark, done, statistics)
                saved = time.monotonic()
    return statistics.finish()


def _load_mark(path: Path) -> tuple[int, ChannelStatistics]:
    if not path.is_file():
        return 0, ChannelStatistics()
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state["done"], ChannelStatistics(**state["statistics"])


def _save_mark(path: Path, done: int, statistics: ChannelStatistics) -> None:
    part = path.with_suffix(".part")
    torch.save({"done": done, "statistics": asdict(statistics)}, part)
    part.replace(path)
