"""From an upload to a judgement, by the functions of `efficientad predict`."""

import base64
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.containers import inspect_container
from efficientad.data.files.limits import UNBOUNDED
from efficientad.data.images.encoding import encode_png
from efficientad.data.images.reading import decode_image
from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.predictor import Prediction, predict_image
from efficientad.deploy.regions import Region, find_regions
from efficientad.serving.refusals import Refusal

_UPLOAD = "the image"  # what errors call it


@dataclass(frozen=True)
class Judgement:
    """What a detector says of one image."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB, as decoded
    prediction: Prediction
    regions: list[Region]  # of `image`, by decreasing score


def judge_upload(engine: Engine, payload: bytes, most_pixels: int) -> Judgement:
    """Decode and judge an image file.

    Raises Refusal for more than `most_pixels`, before they are decoded; DataError as `decode_image`; ModelError for a
    score that is not finite.
    """
    _check_pixels(payload, most_pixels)
    image = decode_image(payload, _UPLOAD, UNBOUNDED)
    prediction = predict_image(engine, image)
    regions = find_regions(prediction.anomaly_map, prediction.threshold, (image.shape[0], image.shape[1]))
    return Judgement(image, prediction, regions)


def _check_pixels(payload: bytes, most_pixels: int) -> None:
    try:
        container = inspect_container(payload)
    except ValueError:  # `decode_image` says what is wrong
        return
    if container.height * container.width > most_pixels:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"expected an image of at most {most_pixels / 1e6:g} megapixels, got {container.width} x "
            f"{container.height} px; send a smaller one, or raise --max-megapixels",
        )


def check_finite(*values: float | NDArray[Any]) -> None:
    """Raise Refusal where a value is not finite: such an image has no verdict."""
    if not all(np.isfinite(value).all() for value in values):
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "expected a finite score, got one that is not: the image has no verdict; take it again, and if that does "
            "not help, export the model again",
        )


def draw_judgement(judgement: Judgement) -> bytes:
    """Return a PNG of the image with its heat map, as `efficientad predict --heat-maps` writes it."""
    prediction = judgement.prediction
    return encode_png(draw_heat_map(judgement.image, prediction.anomaly_map, prediction.threshold))


def describe_judgement(name: str, judgement: Judgement, heat_map: bool, anomaly_map: bool) -> dict[str, Any]:
    """Return the JSON answer.

    model, score, threshold, verdict, image_size (width, height in px), regions; where asked for, heat_map, a PNG in
    base64, and anomaly_map: width, height, data, which is float32, little-endian, row by row, in base64.
    """
    height, width = judgement.image.shape[:2]
    prediction = judgement.prediction
    answer: dict[str, Any] = {
        "model": name,
        "score": prediction.score,
        "threshold": prediction.threshold,
        "verdict": prediction.verdict,
        "image_size": [width, height],
        "regions": [asdict(region) for region in judgement.regions],
    }
    if heat_map:
        answer["heat_map"] = _write_base64(draw_judgement(judgement))
    if anomaly_map:
        rows, columns = prediction.anomaly_map.shape
        data = _write_base64(prediction.anomaly_map.astype("<f4").tobytes())
        answer["anomaly_map"] = {"width": columns, "height": rows, "data": data}
    return answer


def _write_base64(payload: bytes) -> str:
    return base64.b64encode(payload).decode("ascii")
