"""How far an exported model's maps and scores are from those of the trained one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import Prepared
from efficientad.data.files.limits import UNBOUNDED
from efficientad.data.images.reading import read_image
from efficientad.deploy.engines.engine import Engine, Outputs, stack_outputs
from efficientad.deploy.predictor import predict_image
from efficientad.errors import ParityError
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.pipeline.progress import track


@dataclass(frozen=True)
class Parity:
    """Differences to the reference, in units of the normalised map (0.1 = high quantile of good parts).

    largest_map_value: of the reference, absolute. A float's error grows with the value that it holds.
    """

    largest_map_value: float
    max_map_difference: float
    mean_map_difference: float
    max_score_difference: float
    auroc_difference: float
    verdict_flips: int


def choose_images(prepared: Prepared, count: int) -> NDArray[np.intp]:
    """Choose `count` test images, or all there are: evenly from the normal and from the anomalous ones.

    The images that were kept at their native size are always among them.
    """
    test = prepared.indices("test")
    kept = {name for _, name in prepared.raw}
    labels = np.array([prepared.rows[index].label for index in test])
    native = np.array([prepared.rows[index].name in kept for index in test])
    chosen = [test[native]]
    for label in (0, 1):
        rest = test[(labels == label) & ~native]
        share = max(0, -(-count // 2) - int((native & (labels == label)).sum()))
        picks = np.linspace(0, len(rest) - 1, min(share, len(rest))).round().astype(int)
        chosen.append(rest[picks])
    return np.sort(np.concatenate(chosen))


def run_reference(engine: Engine, prepared: Prepared, chosen: NDArray[np.intp]) -> Outputs:
    """Run an engine on the prepared arrays, which are what training and evaluation saw."""
    return stack_outputs([engine.run(prepared.images[index][None]) for index in track(chosen, "images for comparison")])


def run_station(engine: Engine, prepared: Prepared, chosen: NDArray[np.intp]) -> Outputs:
    """Run an engine as a station would: from a file of native size wherever `prepare`, which has a bound, kept one."""
    files = {name: path for path, name in prepared.raw}
    outputs = []
    for index in track(chosen, "images for comparison"):
        path = files.get(prepared.rows[index].name)
        if path is None:
            outputs.append(engine.run(prepared.images[index][None]))
        else:
            prediction = predict_image(engine, read_image(path, UNBOUNDED))
            outputs.append(Outputs(prediction.anomaly_map[None], np.array([prediction.score], np.float32)))
    return stack_outputs(outputs)


def compare_outputs(
    reference: Outputs,
    other: Outputs,
    labels: NDArray[np.int64],
    threshold: float,
    other_threshold: float | None = None,
) -> Parity:
    """Measure how far `other` is from `reference` on images of the given labels (N,).

    `other_threshold` is that of `other`, where it has one of its own.
    """
    anomalous = other.scores > (threshold if other_threshold is None else other_threshold)
    difference = np.abs(other.maps - reference.maps)
    return Parity(
        largest_map_value=float(np.abs(reference.maps).max()),
        max_map_difference=float(difference.max()),
        mean_map_difference=float(difference.mean(dtype=np.float64)),
        max_score_difference=float(np.abs(other.scores - reference.scores).max()),
        auroc_difference=abs(_measure_auroc(other, labels) - _measure_auroc(reference, labels)),
        verdict_flips=int((anomalous != (reference.scores > threshold)).sum()),
    )


def _measure_auroc(outputs: Outputs, labels: NDArray[np.int64]) -> float:
    """Return the image AUROC; 0 where there is none because one class is missing."""
    if len(np.unique(labels)) < 2:
        return 0.0
    return compute_image_metrics(outputs.scores, labels)["image_auroc"]


def check_parity(name: str, parity: Parity, max_map_difference: float, max_auroc_difference: float) -> None:
    """Raise ParityError when a runtime's maps or its AUROC lie further from torch's than allowed.

    `max_map_difference` is meant for maps up to 1 and grows in proportion where torch's are larger. NaN
    differences fail, too.
    """
    allowed = max_map_difference * max(1.0, parity.largest_map_value)
    if not parity.max_map_difference <= allowed:
        raise ParityError(
            f"{name}: expected maps within {allowed:.3g} of torch's, got {parity.max_map_difference:.3g}; "
            "do not deploy it; raise export.max_map_difference_* only if the verdicts below do not change: "
            f"{parity.verdict_flips} flipped"
        )
    if not parity.auroc_difference <= max_auroc_difference:
        raise ParityError(
            f"{name}: expected an image AUROC within {max_auroc_difference} of torch's, got a difference of "
            f"{parity.auroc_difference:.3g}; do not deploy it"
        )
