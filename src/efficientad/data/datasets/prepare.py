"""A product at the model's resolution: written here, described and opened in `prepared`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
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
from efficientad.data.arrays.row_file import replace_array, save_array
from efficientad.data.arrays.rows import keep_rows
from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.annotations import write_annotations
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.findings import Findings
from efficientad.data.datasets.splits import SplitPlan, Splits, split_samples
from efficientad.data.files.decoding import count_workers, hash_pixels
from efficientad.data.files.names import check_encoding
from efficientad.data.files.walk import Finding
from efficientad.data.images.encoding import write_png
from efficientad.data.images.resizing import resize_image, resize_mask
from efficientad.errors import DataError
from efficientad.pipeline.progress import track

_LARGE_MASK = 0.5  # share of an image
_LEAKS = "a copy of an image of validation or test, or another image of its part; it does not train"


@dataclass(frozen=True)
class _Facts:
    sha256: str
    height: int
    width: int
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
    border_px: int = 0,
    findings: Findings | None = None,
    workers: int = 0,
) -> Prepared:
    """Decode, resize and write all images of a provider, and return them as `load_prepared` does.

    `size`: height and width in px; `plan` and `groups` as in `split_samples`; `raw_samples`: how many images to keep
    at native size; `region`: (h, w), the region of interest at any size, outside of which masks are emptied, too;
    `border_px`: of the written images, in which nothing is judged; `findings`: takes what is amiss with files;
    `workers`: threads, 0 for one per core, at most eight. The manifest is written last, so an error leaves a folder
    that `load_prepared` refuses. Defects that the provider knows one by one are kept, too (see `write_annotations`).

    Raises DataError as `split_samples` does, for a region that lies wholly in the border, and, when all files were
    looked at, for those that the provider cannot read, masks of another size than their images, black masks of defects
    and masks of good images that are not black.
    """
    samples = provider.list_samples()
    if not samples:
        raise DataError(f"expected images from {type(provider).__name__}, got none; check data.root")
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (MANIFEST, REGION, ANNOTATIONS):
        (folder / stale).unlink(missing_ok=True)
    small_region = None if region is None else _shrink_region(region, size, border_px)
    if small_region is not None:
        save_array(folder / REGION, small_region)
    findings = findings or Findings()
    facts = list(_write_arrays(provider, samples, folder, size, small_region, findings, workers))
    findings.check()
    digests = {sample.name: entry.sha256 for sample, entry in zip(samples, facts, strict=True)}
    splits = split_samples(samples, digests, plan, groups)
    findings.left_out += [Finding(name, _LEAKS) for name in splits.left_out]
    kept = [index for index, sample in enumerate(samples) if sample.name in splits.split_of]
    findings.warned += _find_contradictions([samples[index] for index in kept], digests)
    for array in (IMAGES, MASKS):
        keep_rows(folder / array, kept)
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


def _shrink_region(region: NDArray[np.bool_], size: tuple[int, int], border_px: int) -> NDArray[np.bool_]:
    small = resize_mask(region, size)
    if not small[border_px : size[0] - border_px, border_px : size[1] - border_px].any():
        raise DataError(
            f"expected a region of interest beyond the outermost {border_px} of {size[0]} x {size[1]} px, where sizes "
            "S and M judge nothing, got one within them; paint a larger one, leave a margin around the product, or use "
            "L alone"
        )
    return small


def _find_contradictions(samples: Sequence[Sample], digests: Mapping[str, str]) -> list[Finding]:
    """Return the good images of which a copy counts as defective: one of the two verdicts is wrong."""
    defective = {digests[sample.name]: sample.name for sample in samples if sample.label}
    return [
        Finding(sample.name, f"good here, and a defect as {other}; remove the wrong copy")
        for sample in samples
        if not sample.label and (other := defective.get(digests[sample.name]))
    ]


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
    findings: Findings,
    workers: int,
) -> Iterator[_Facts]:
    """Write one row per sample and yield its facts, without its pixels; what cannot be used is noted and left black."""

    def decode(sample: Sample) -> _Decoded | DataError:
        try:
            return _decode(provider, sample, size)
        except DataError as error:
            return error

    with (
        replace_array(folder / IMAGES, np.uint8, (len(samples), *size, 3)) as images,
        replace_array(folder / MASKS, np.bool_, (len(samples), *size)) as masks,
        ThreadPoolExecutor(count_workers(workers)) as pool,
    ):
        entries: Iterable[_Decoded | DataError] = pool.map(decode, samples)
        for index, entry in enumerate(track(entries, "images decoded", len(samples))):
            if isinstance(entry, DataError):
                findings.refused.append(Finding(samples[index].name, str(entry)))
                continue
            images[index] = entry.image
            judged = None if entry.mask is None else entry.mask & (True if region is None else region)
            if judged is not None:
                masks[index] = judged
            if doubt := _doubt_mask(entry.mask, judged):
                findings.warned.append(Finding(samples[index].name, doubt))
            yield entry.facts


def _decode(provider: DatasetProvider, sample: Sample, size: tuple[int, int]) -> _Decoded:
    check_encoding(sample.name)
    image, mask = provider.load_image(sample), provider.load_mask(sample)
    height, width = image.shape[:2]
    if mask is not None:
        _check_mask(mask, (height, width), sample, provider.mask_path(sample))
    small = None if mask is None else resize_mask(mask, size)
    facts = _Facts(hash_pixels(image), height, width, has_mask=mask is not None)
    return _Decoded(resize_image(image, size), small, facts)


def _check_mask(mask: NDArray[np.bool_], size: tuple[int, int], sample: Sample, path: Path | None) -> None:
    where = f"the mask {path or 'of ' + sample.name}"
    if mask.shape != size:
        raise DataError(f"expected a mask of size {size} for {sample.name}, got {mask.shape}; correct the mask")
    if sample.label and not mask.any():
        raise DataError(
            f"expected a defect in {where}, all of it is black; paint the defect, or remove the mask: then its image "
            "counts by its class alone"
        )
    if not sample.label and mask.any():
        raise DataError(
            f"expected no defect in {where}, a good image, got {np.count_nonzero(mask)} px; correct the mask, or move "
            "the image to its defects"
        )


def _doubt_mask(mask: NDArray[np.bool_] | None, judged: NDArray[np.bool_] | None) -> str:
    if mask is None or judged is None or not mask.any():
        return ""
    if not judged.any():
        return "its defect lies wholly outside of the region of interest; no pixel of it counts"
    if (share := mask.mean()) > _LARGE_MASK:
        return f"its mask marks {share:.0%} of the image as defect; look whether black and white are swapped"
    return ""


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
