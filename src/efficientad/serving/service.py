"""What all routes share: the models, the gate, the limits and the counters of one server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE
from efficientad.serving.admission import Gate
from efficientad.serving.judging import Judgement, check_finite, judge_upload
from efficientad.serving.metrics import Metrics
from efficientad.serving.models import ServedModel
from efficientad.serving.refusals import Refusal

Result = TypeVar("Result")


@dataclass(frozen=True)
class Limits:
    """What a server takes on.

    threads:    images in work at a time; one more than the engine's streams decodes while the others infer.
    waiting:    requests that may wait beside them.
    seconds:    in which a body must have come.
    """

    threads: int = 2
    waiting: int = 16
    most_bytes: int = 32_000_000  # of a body
    most_pixels: int = 32_000_000  # of an image
    seconds: float = 30.0


@dataclass
class Service:
    """The state of one server."""

    models: Mapping[str, ServedModel]
    limits: Limits
    gate: Gate = field(init=False)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits.threads, self.limits.waiting)
        self.metrics = Metrics(lambda: self.gate.inside, self.gate.capacity)

    def find_model(self, name: str | None) -> ServedModel:
        """Return the model of a name; the one there is for None. Refusal, with the names, where there is none such."""
        names = ", ".join(self.models)
        if name is None and len(self.models) == 1:
            return next(iter(self.models.values()))
        if name is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"expected ?model= with one of {names}, got none")
        if name not in self.models:
            raise Refusal(HTTPStatus.NOT_FOUND, f"expected a model of {names}, got {name[:80]}")
        return self.models[name]

    def judge(self, model: ServedModel, payload: bytes) -> Judgement:
        """Judge an upload, see `judge_upload`, and count it."""
        with self.metrics.seconds.labels(model.name).time():
            judgement = self._count_refused(model, lambda: judge_upload(model.engine, payload, self.limits.most_pixels))
        self._count(model, judgement.prediction.score)
        return judgement

    def infer(self, model: ServedModel, images: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
        """Return the graph's outputs of a batch (B, H, W, 3), an image at a time; Refusal where one is not finite."""
        with self.metrics.seconds.labels(model.name).time():
            parts = [model.engine.infer(image[None]) for image in images]
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._count_refused(model, lambda: check_finite(outputs[ANOMALY_SCORE], outputs[ANOMALY_MAP]))
        for score in outputs[ANOMALY_SCORE]:
            self._count(model, float(score))
        return outputs

    def _count(self, model: ServedModel, score: float) -> None:
        header = model.engine.header
        verdict = "anomalous" if score > header.threshold else "normal"
        self.metrics.images.labels(model.name, verdict).inc()
        self.metrics.display_scores.labels(model.name).observe(header.scale_score(score))

    def _count_refused(self, model: ServedModel, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except Exception:
            self.metrics.images.labels(model.name, "error").inc()
            raise
