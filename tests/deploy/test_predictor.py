"""A verdict from a map and a score, by an engine that gives what it is told."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import HEADER

from efficientad.data.images.resizing import resize_image
from efficientad.deploy.engines.engine import Outputs
from efficientad.deploy.predictor import Prediction, predict_image, read_outputs
from efficientad.errors import ModelError

SIZE = (8, 12)
MAP = np.arange(96, dtype=np.float32).reshape(8, 12)


class Told:
    """An engine that remembers its input."""

    header = replace(HEADER, image_size=SIZE, threshold=0.25)

    def run(self, images):
        self.seen = images
        return Outputs(np.stack([MAP, MAP + 1]), np.array([0.25, 7.0], np.float32))


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.25, "normal"), (np.nextafter(0.25, 1), "anomalous"), (np.nextafter(0.25, 0), "normal"), (-1.0, "normal")],
)
def test_only_a_score_above_the_threshold_is_anomalous(score, verdict):
    prediction = Prediction(float(score), 0.25, MAP)
    assert prediction.verdict == verdict
    assert prediction.is_anomalous == (verdict == "anomalous")


def test_the_judgement_is_of_the_batchs_first_image_and_the_headers_threshold():
    engine = Told()
    found = read_outputs(engine.run(None), engine.header)
    assert (found.score, found.threshold, found.verdict) == (0.25, 0.25, "normal")
    np.testing.assert_array_equal(found.anomaly_map, MAP)


def test_an_image_of_any_size_is_resized_as_in_training():
    engine, image = Told(), np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert predict_image(engine, image).score == 0.25
    np.testing.assert_array_equal(engine.seen, resize_image(image, SIZE)[None])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["map", "score"])
def test_what_is_no_number_is_no_verdict(bad, place):
    maps, scores = np.zeros((1, *SIZE), np.float32), np.zeros(1, np.float32)
    (maps[:, 3, 3:4] if place == "map" else scores)[:] = bad
    with pytest.raises(ModelError, match="expected a finite score"):
        read_outputs(Outputs(maps, scores), Told.header)
