"""The INT8 model: the fastest that keeps the accuracy of the float one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.calibration.threshold.choice import choose_display_scale, choose_threshold
from efficientad.calibration.threshold.scores import SCORES, ScoreTable, choose_rows, write_scores
from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.engine import Outputs
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.int8.accuracy import measure_accuracy, run_trial
from efficientad.deploy.export.int8.bank_patches import Images, Places, compute_patches, find_places
from efficientad.deploy.export.int8.drift import measure_drift
from efficientad.deploy.export.int8.quantise import list_candidates, quantise
from efficientad.deploy.export.openvino import append_verdict, read_without_verdict, save_ir
from efficientad.errors import ParityError
from efficientad.model.header import ModelHeader


@dataclass(frozen=True)
class Choice:
    """What was kept in float (a key of `KEPT`; None where nothing was good enough), and each candidate's costs.

    Flips and drifts, see `Drift`, are of the candidates whose drops are allowed.
    """

    kept: str | None
    auroc_drops: dict[str, float]
    au_pro_drops: dict[str, float]
    verdict_flips: dict[str, float] = field(default_factory=dict)
    score_drifts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Allowed:
    """How far the accuracy may fall and how far a model may drift; `fpr_limit` is that of AU-PRO."""

    auroc_drop: float
    au_pro_drop: float
    verdict_flips: float
    score_drift: float
    fpr_limit: float


class Normals(NamedTuple):
    """Training images (H, W, 3), uint8 RGB."""

    ranges: NDArray[np.uint8]  # (n, H, W, 3), which the ranges of eight bits are fitted to
    banks: Images  # which the patches of the memory banks were taken from; read one at a time


def write_int8(
    float_xml: Path,
    header: ModelHeader,
    xml: Path,
    normals: Normals,
    trial: Trial,
    allowed: Allowed,
) -> Choice:
    """Write the first of the candidates to `xml` that on `trial` costs no more than allowed: accuracy, flips, drift.

    float_xml: the float IR, with the same header.

    Each candidate is made once. The chosen one gets a threshold of its own, see `fit_header`, and with it the
    verdict's part of its graph; the scores that set it lie beside it. Nothing is written when no candidate will do.
    """
    choice = Choice(None, {}, {})
    expected = run_trial(OpenVINOEngine(float_xml), trial)
    reference = measure_accuracy(expected, trial, allowed.fpr_limit)
    places = find_places(read_without_verdict(float_xml), normals.banks)
    for name, kept in list_candidates(float_xml).items():
        candidate = _make_candidate(float_xml, normals, places, kept)
        outputs = _run_from_disk(candidate, header, trial)
        accuracy = measure_accuracy(outputs, trial, allowed.fpr_limit)
        choice.auroc_drops[name] = reference.image_auroc - accuracy.image_auroc
        choice.au_pro_drops[name] = reference.au_pro - accuracy.au_pro
        if choice.auroc_drops[name] > allowed.auroc_drop or choice.au_pro_drops[name] > allowed.au_pro_drop:
            continue
        table = select_scores(trial, outputs.scores)
        fitted = fit_header(header, table)
        drift = measure_drift(expected.scores, header.threshold, outputs.scores, fitted.threshold)
        choice.verdict_flips[name], choice.score_drifts[name] = drift
        if drift.verdict_flips <= allowed.verdict_flips and drift.score_drift <= allowed.score_drift:
            append_verdict(candidate, fitted)
            save_ir(candidate, fitted, xml, fp16=False)
            write_scores(table, xml.with_name(SCORES))
            return replace(choice, kept=name)
    return choice


def _make_candidate(
    float_xml: Path, normals: Normals, places: Mapping[str, Places], kept: tuple[str, ...]
) -> openvino.Model:
    """Quantise twice where there are memory banks: the first model computes what the banks of the second hold."""
    candidate = quantise(float_xml, normals.ranges, kept)
    if not places:
        return candidate
    return quantise(float_xml, normals.ranges, kept, compute_patches(candidate, places, normals.banks))


def _run_from_disk(model: openvino.Model, header: ModelHeader, trial: Trial) -> Outputs:
    """Write a candidate, load it as a station would, and run it on a trial."""
    with TemporaryDirectory() as folder:
        xml = Path(folder) / "model.xml"
        save_ir(model, header, xml, fp16=False)
        return run_trial(OpenVINOEngine(xml), trial)


def select_scores(trial: Trial, scores: NDArray[np.float32]) -> ScoreTable:
    """Return the scores (N,) of the trial's images that set a threshold, as the stage `fit` keeps the float model's."""
    rows = choose_rows(trial.kinds)
    return ScoreTable(trial.parts[rows], trial.kinds[rows], scores[rows])


def fit_header(header: ModelHeader, table: ScoreTable) -> ModelHeader:
    """Return the header with threshold and display scale from an INT8 model's scores.

    Eight bits add to every squared difference: the float model's threshold would give more alarms than stated. It is
    chosen as the float model's was, on the same images, by the policy and the false-alarm rate that the header states.
    """
    threshold = choose_threshold(table, header.false_alarm_rate, header.threshold_policy)
    return replace(
        header,
        threshold=threshold.value,
        false_alarm_rate=threshold.false_alarm_rate,
        threshold_policy=threshold.policy,
        display_scale=choose_display_scale(table.good, threshold.value),
    )


def refuse(choice: Choice, allowed: Allowed) -> ParityError:
    """Return the error that says why there is no INT8 model."""
    drops = ", ".join(
        f"{drop:.4f} and {choice.au_pro_drops[name]:.4f} with {name} kept in float"
        for name, drop in choice.auroc_drops.items()
    )
    drifts = "".join(
        f"; with {name} kept in float {flips:.4f} of the verdicts differ, allowed {allowed.verdict_flips}, "
        f"and scores by up to {choice.score_drifts[name]:.4f} of the threshold, allowed {allowed.score_drift}"
        for name, flips in choice.verdict_flips.items()
    )
    return ParityError(
        f"openvino_int8: expected image AUROC and AU-PRO within {allowed.auroc_drop} and {allowed.au_pro_drop} of the "
        "float model's on held-out normal images, the same under nuisance and with synthetic defects, they drop by "
        f"{drops}{drifts}; set export.int8_fallback: fp16 to go on without INT8, or take int8 out of export.precisions"
    )
