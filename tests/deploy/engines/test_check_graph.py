"""What a graph must have for its header to be true of it."""

from pathlib import Path

import pytest
from tiny_models import HEADER, SIDE

from efficientad.deploy.engines.graph import check_graph
from efficientad.errors import ModelError

SCORED = ["anomaly_map", "anomaly_score"]  # a candidate for INT8 has no verdict yet


@pytest.mark.parametrize("batch", [None, "batch", 1, 4])
def test_the_batch_is_free_and_the_verdict_may_be_missing(batch):
    check_graph([batch, SIDE, SIDE, 3], SCORED, HEADER, Path("model.xml"))


@pytest.mark.parametrize("shape", [[None, 128, 64, 3], [None, 64, 128, 3], [None, 64, 64, 1], [64, 64, 3], []])
def test_pixels_of_another_size_are_refused(shape):
    with pytest.raises(ModelError, match=r"expected pixels of image_size 64 64 in model\.xml, got \["):
        check_graph(shape, SCORED, HEADER, Path("model.xml"))


@pytest.mark.parametrize("absent", SCORED)
def test_a_graph_without_map_or_score_is_refused(absent):
    with pytest.raises(ModelError, match=f"expected the output {absent} in model"):
        check_graph([1, SIDE, SIDE, 3], [name for name in SCORED if name != absent], HEADER, Path("model.xml"))
