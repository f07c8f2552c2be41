"""Choosing the threshold of each file of a model from good images, and writing all of them or none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from efficientad.calibration.threshold.choice import choose_display_scale, fit_threshold
from efficientad.calibration.threshold.count import count_needed
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.format.origin import Origin
from efficientad.deploy.threshold.files import edit_model, locate_journal
from efficientad.deploy.threshold.replace import replace_files
from efficientad.deploy.threshold.scoring import Scores, score_images
from efficientad.errors import DataError
from efficientad.model.header import ModelHeader


@dataclass(frozen=True)
class Setting:
    """What one file of a model is to get, and what its scores say about it."""

    file: Path
    before: ModelHeader
    after: ModelHeader
    good: Scores
    defects: Scores | None

    @property
    def false_alarms_before(self) -> int:
        """How many of the good images lie above the threshold that the file had."""
        return int((self.good.values > self.before.threshold).sum())

    @property
    def misses(self) -> int:
        """How many of the defects would be called normal; they set nothing."""
        return 0 if self.defects is None else int((self.defects.values <= self.after.threshold).sum())


def choose_settings(
    models: Sequence[Path],
    good: Mapping[str, Path],
    defects: Mapping[str, Path],
    rate: float,
    options: EngineOptions,
    limits: Limits = LIMITS,
) -> list[Setting]:
    """Score the images by each of the files of a model, in OpenVINO, and choose its threshold by `fit_threshold`.

    Each file gets its own: eight bits give other scores. Copies of an image count as one. Raises DataError where there
    are fewer different good images than the rate needs.
    """
    check_good(len(good), rate)
    settings = []
    for file in models:
        engine = OpenVINOEngine(file, options)
        score = partial(score_images, engine, report_skipped=file == models[0], limits=limits)
        scores = score(good)
        check_good(scores.images, rate)
        after = _fit(engine.header, scores, rate)
        settings.append(Setting(file, engine.header, after, scores, score(defects) if defects else None))
    return settings


def write_settings(model: Path, settings: Sequence[Setting], now: datetime | None = None) -> None:
    """Write the thresholds into the files of `model`, all of them or none; OSError where that is not possible."""
    time = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    contents: dict[Path, bytes] = {}
    for setting in settings:
        contents |= edit_model(setting.file, setting.after, Origin(time, setting.good.images))
    replace_files(contents, locate_journal(model))


def check_good(images: int, rate: float) -> None:
    """Raise DataError where so many different good images cannot promise the rate."""
    needed = count_needed(rate)
    if images < needed:
        possible = math.ceil(1e4 / (images + 1)) / 1e4
        raise DataError(
            f"expected at least {needed} different good images for a false-alarm rate of {rate}, got {images}; add "
            + (f"images, or ask for --false-alarm-rate {possible}" if possible <= 0.5 else "images")
        )


def _fit(header: ModelHeader, scores: Scores, rate: float) -> ModelHeader:
    threshold = fit_threshold(scores.values, rate, scores.contents)
    return replace(
        header,
        threshold=threshold.value,
        false_alarm_rate=threshold.false_alarm_rate,
        threshold_policy=threshold.policy,
        display_scale=choose_display_scale(scores.values, threshold.value),
    )
