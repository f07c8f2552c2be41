"""A product at the model's resolution: written here, described and opened in `prepared`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from efficientad.data.arrays.annotations import ANNOTATIONS
from efficientad.data.arrays.prepared import (
    IMAGES,
    MANIFEST,
    MASKS,
    RAW,
    REGION,
    Prepared,
    PreparedRow,
    load_prepared,
    write_manifest,
)
from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.annotations import write_annotations
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.splits import SplitPlan, Splits, split_samples
from efficientad.data.files.decoding import count_workers, hash_pixels
from efficientad.data.files.images import is_sixteen_bit, resize_image, resize_mask, write_png
from efficientad.errors import DataError
from efficientad.pipeline.progress import track

_BORDER_PX = 16  # of an image, in which no patch is centred (maps.BORDER_CELLS)
TWELVE_BIT_LEVEL = round(4095 / 257)
"""The 8-bit level of the brightest 12-bit value when it stands unscaled in a 16-bit file: 16 of 255."""


@dataclass(frozen=True)
class _Facts:
    sha256: str
    height: int
    width: int
    peak: int
    has_mask: bool


@dataclass(frozen=True)
class _Decoded:
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_] | None
    facts: _Facts


def write_prepared(
    provider: DatasetProvider,
    folder: Path,
    size: tuple[int, int],
    plan: SplitPlan,
    raw_samples: int,
    region: NDArray[np.bool_] | None = None,
    groups: Mapping[str, str] | None = None,
    workers: int = 0,
) -> Prepared:
    """Decode, resize and write all images of a provider, and return them as `load_prepared` does.

    `size`: height and width in px; `plan` and `groups` as in `split_samples`; `raw_samples`: how many images to keep
    at native size; `region`: (h, w), the region of interest at any size, outside of which masks are emptied, too;
    `workers`: threads, 0 for one per core, at most eight. The manifest is written last, so an error leaves a folder
    that `load_prepared` refuses. Defects that the provider knows one by one are kept, too (see `write_annotations`).

    Raises DataError as the provider and `split_samples` do, for a mask of another size than its image, for a region
    that lies wholly in the border, and for a product whose 16-bit files never exceed 4095.
    """
    samples = provider.list_samples()
    if not samples:
        raise DataError(f"expected images from {type(provider).__name__}, got none; check data.root")
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (MANIFEST, REGION, ANNOTATIONS):
        (folder / stale).unlink(missing_ok=True)
    small_region = None if region is None else _shrink_region(region, size)
    if small_region is not None:
        np.save(folder / REGION, small_region)
    facts = list(_write_arrays(provider, samples, folder, size, small_region, workers))
    _check_depth(provider, samples, max(entry.peak for entry in facts))
    digests = {sample.name: entry.sha256 for sample, entry in zip(samples, facts, strict=True)}
    splits = split_samples(samples, digests, plan, groups)
    kept = [index for index, sample in enumerate(samples) if sample.name in splits.split_of]
    _keep_rows(folder, kept)
    rows = [_describe(samples[index], facts[index], splits, groups or {}) for index in kept]
    chosen = choose_raw(rows, raw_samples)
    _write_raw(provider, [sample for name in chosen for sample in samples if sample.name == name], folder)
    write_manifest(
        folder / MANIFEST,
        {
            "size": list(size),
            "rows": [asdict(row) for row in rows],
            "left_out": list(splits.left_out),
            "raw": [{"file": f"{RAW}/{i:04d}.png", "name": name} for i, name in enumerate(chosen)],
            **write_annotations(provider, [samples[index] for index in kept], folder, small_region),
        },
    )
    return load_prepared(folder)


def _shrink_region(region: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    small = resize_mask(region, size)
    if not small[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX].any():
        raise DataError(
            f"expected a region of interest beyond the outermost {_BORDER_PX} of {size[0]} x {size[1]} px, where "
            "nothing is judged, got one within them; paint a larger one, or leave a margin around the product"
        )
    return small


def choose_raw(rows: Sequence[PreparedRow], count: int) -> list[str]:
    """Choose up to `count` test images: half normal, half anomalous, spread evenly over the classes.

    Where one half has too few, the other fills up.
    """
    pool = [row for row in rows if row.split == "test"]
    normal = [row.name for row in pool if not row.label]
    classes = dict.fromkeys(row.defect for row in pool if row.label)
    by_class = [[row.name for row in pool if row.defect == defect] for defect in classes]
    anomalous = [name for turn in zip_longest(*by_class) for name in turn if name is not None]
    most_anomalous = max(count // 2, count - len(normal))
    picked = anomalous[:most_anomalous]
    return normal[: count - len(picked)] + picked


def _write_arrays(
    provider: DatasetProvider,
    samples: list[Sample],
    folder: Path,
    size: tuple[int, int],
    region: NDArray[np.bool_] | None,
    workers: int,
) -> Iterator[_Facts]:
    """Write one row per sample and yield its facts, without its pixels."""

    def decode(sample: Sample) -> _Decoded:
        return _decode(provider, sample, size)

    images = open_memmap(folder / IMAGES, mode="w+", dtype=np.uint8, shape=(len(samples), *size, 3))
    masks = open_memmap(folder / MASKS, mode="w+", dtype=np.bool_, shape=(len(samples), *size))
    with ThreadPoolExecutor(count_workers(workers)) as pool:
        entries: Iterable[_Decoded] = pool.map(decode, samples)
        for index, entry in enumerate(track(entries, "images decoded", len(samples))):
            images[index] = entry.image
            masks[index] = False if entry.mask is None else entry.mask & (True if region is None else region)
            yield entry.facts
    images.flush()
    masks.flush()


def _decode(provider: DatasetProvider, sample: Sample, size: tuple[int, int]) -> _Decoded:
    image, mask = provider.load_image(sample), provider.load_mask(sample)
    height, width = image.shape[:2]
    if mask is not None and mask.shape != (height, width):
        raise DataError(
            f"expected a mask of size {(height, width)} for {sample.name}, got {mask.shape}; correct the mask"
        )
    small = None if mask is None else resize_mask(mask, size)
    facts = _Facts(hash_pixels(image), height, width, int(image.max()), has_mask=mask is not None)
    return _Decoded(resize_image(image, size), small, facts)


def _check_depth(provider: DatasetProvider, samples: list[Sample], peak: int) -> None:
    if peak > TWELVE_BIT_LEVEL:
        return
    paths = [path for sample in samples if (path := provider.image_path(sample)) is not None]
    deep = next((path for path in paths if is_sixteen_bit(path)), None)
    if deep is not None:
        raise DataError(
            f"expected 16-bit images to span 0..65535, none of this product exceeds 4095 (such as {deep}): "
            "the camera gives 10 or 12 bits; multiply by 64 or 16 when saving, so that white is 65535"
        )


def _keep_rows(folder: Path, kept: list[int]) -> None:
    """Take the rows that were left out away from the arrays, row by row."""
    for name in (IMAGES, MASKS):
        full = np.load(folder / name, mmap_mode="r")
        if len(full) == len(kept):
            continue
        part = folder / f"{name}.part"
        shorter = open_memmap(part, mode="w+", dtype=full.dtype, shape=(len(kept), *full.shape[1:]))
        for target, source in enumerate(kept):
            shorter[target] = full[source]
        shorter.flush()
        del full, shorter  # Windows does not replace a file that is mapped
        part.replace(folder / name)


def _describe(sample: Sample, entry: _Facts, splits: Splits, groups: Mapping[str, str]) -> PreparedRow:
    return PreparedRow(
        name=sample.name,
        split=splits.split_of[sample.name],
        label=sample.label,
        defect=sample.defect,
        mask=entry.has_mask,
        sha256=entry.sha256,
        height=entry.height,
        width=entry.width,
        part=groups.get(sample.name, ""),
    )


def _write_raw(provider: DatasetProvider, samples: list[Sample], folder: Path) -> None:
    (folder / RAW).mkdir(exist_ok=True)
    for stale in (folder / RAW).glob("*.png"):
        stale.unlink()
    for index, sample in enumerate(samples):
        write_png(folder / RAW / f"{index:04d}.png", provider.load_image(sample))
