"""The INT8 model: the fastest that keeps the accuracy of the float one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from efficientad.calibration.threshold import choose_display_scale, fit_threshold
from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.accuracy import measure_accuracy
from efficientad.deploy.export.openvino import save_ir
from efficientad.deploy.export.quantise import KEPT, quantise
from efficientad.errors import ParityError
from efficientad.model.header import ModelHeader


@dataclass(frozen=True)
class Choice:
    """What was kept in float (a key of `KEPT`; None where nothing was good enough), and each candidate's drops."""

    kept: str | None
    auroc_drops: dict[str, float]
    au_pro_drops: dict[str, float]


@dataclass(frozen=True)
class Allowed:
    """How far the accuracy may fall; `fpr_limit` is that of AU-PRO."""

    auroc_drop: float
    au_pro_drop: float
    fpr_limit: float


def write_int8(
    write_float: Callable[[ModelHeader, Path], None],
    header: ModelHeader,
    xml: Path,
    normals: NDArray[np.uint8],
    trial: Trial,
    allowed: Allowed,
) -> Choice:
    """Write the first of the candidates to `xml` whose accuracy on `trial` falls by no more than allowed.

    write_float: writes the float IR with the header that it is given.
    normals:     (n, H, W, 3) training images, for the ranges.

    The model gets a threshold of its own from its scores of the trial's normal images, with the false-alarm rate of
    the header: eight bits add to every squared difference, and the float model's threshold would give more alarms than
    stated. Nothing is written when no candidate will do.
    """
    choice = Choice(None, {}, {})
    with TemporaryDirectory() as folder:
        float_xml, trial_xml = Path(folder) / "float.xml", Path(folder) / "int8.xml"
        write_float(header, float_xml)
        reference = measure_accuracy(OpenVINOEngine(float_xml), trial, allowed.fpr_limit)
        for name, kept in KEPT.items():
            save_ir(quantise(float_xml, normals, kept), header, trial_xml, fp16=False)
            engine = OpenVINOEngine(trial_xml)
            found = measure_accuracy(engine, trial, allowed.fpr_limit)
            choice.auroc_drops[name] = reference.image_auroc - found.image_auroc
            choice.au_pro_drops[name] = reference.au_pro - found.au_pro
            if choice.auroc_drops[name] <= allowed.auroc_drop and choice.au_pro_drops[name] <= allowed.au_pro_drop:
                fitted = fit_header(engine, trial)
                write_float(fitted, float_xml)  # the threshold is part of the graph, too
                save_ir(quantise(float_xml, normals, kept), fitted, xml, fp16=False)
                return replace(choice, kept=name)
    return choice


def fit_header(engine: Engine, trial: Trial) -> ModelHeader:
    """Return the engine's header with threshold and display scale from its own scores of the trial's normal images."""
    normals = trial.images[trial.labels == 0]
    scores = np.concatenate([engine.run(image[None]).scores for image in normals])
    threshold = fit_threshold(scores, engine.header.false_alarm_rate)
    return replace(
        engine.header,
        threshold=threshold.value,
        false_alarm_rate=threshold.false_alarm_rate,
        display_scale=choose_display_scale(scores, threshold.value),
    )


def refuse(choice: Choice, allowed: Allowed) -> ParityError:
    """Return the error that says why there is no INT8 model."""
    drops = ", ".join(
        f"{drop:.4f} and {choice.au_pro_drops[name]:.4f} with {name} kept in float"
        for name, drop in choice.auroc_drops.items()
    )
    return ParityError(
        f"openvino_int8: expected image AUROC and AU-PRO within {allowed.auroc_drop} and {allowed.au_pro_drop} of the "
        "float model's on held-out normal images and the same with synthetic defects, they drop by "
        f"{drops}; set export.int8_fallback: fp16 to go on without INT8, or take int8 out of export.precisions"
    )
