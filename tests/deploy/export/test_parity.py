import numpy as np
import pytest

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.parity import (
    Outputs,
    check_parity,
    choose_images,
    compare_outputs,
    run_reference,
    run_station,
)
from efficientad.errors import ParityError

MAPS = np.zeros((4, 2, 2), dtype=np.float32)
LABELS = np.array([0, 0, 1, 1])
REFERENCE = Outputs(MAPS, np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32))


class Noise(DatasetProvider):
    """12 normal training images, 6 normal and 6 anomalous ones for test, 100 x 80 px."""

    def list_samples(self):
        train = [Sample(f"train/{i}", "train", "good") for i in range(12)]
        test = [Sample(f"test/{d}/{i}", "test", d) for d in ("good", "scratch") for i in range(6)]
        return train + test

    def load_image(self, sample):
        seed = [ord(letter) for letter in sample.name]
        return np.random.default_rng(seed).integers(0, 256, (80, 100, 3), dtype=np.uint8)

    def load_mask(self, sample):
        mask = np.zeros((80, 100), np.bool_)
        mask[:20] = sample.label == 1
        return mask


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(Noise(), tmp_path_factory.mktemp("prepared"), (64, 64), SplitPlan(0.8, 0.2, 0), raw_samples=4)


def test_differences_by_hand():
    maps = MAPS.copy()
    maps[0, 0, 0], maps[3, 1, 1] = 0.5, -0.1
    scores = np.array([0.1, 0.35, 0.3, 0.41], dtype=np.float32)  # the second normal image overtakes an anomalous one
    parity = compare_outputs(REFERENCE, Outputs(maps, scores), LABELS, threshold=0.25)
    assert parity.max_map_difference == pytest.approx(0.5)
    assert parity.mean_map_difference == pytest.approx(0.6 / 16)
    assert parity.max_score_difference == pytest.approx(0.15)
    assert parity.auroc_difference == pytest.approx(0.25)
    assert parity.verdict_flips == 1


def test_without_defects_the_maps_still_count():
    parity = compare_outputs(REFERENCE, REFERENCE, np.zeros(4, dtype=int), threshold=0.25)
    assert (parity.auroc_difference, parity.max_map_difference) == (0, 0)


@pytest.mark.parametrize(
    ("maps", "scores", "message"),
    [
        (MAPS + 0.2, REFERENCE.scores, "expected maps within 0.1"),
        (MAPS * np.nan, REFERENCE.scores, "expected maps within 0.1"),
        (MAPS, REFERENCE.scores[::-1].copy(), "expected an image AUROC within"),
    ],
)
def test_the_gate_stops_what_differs(maps, scores, message):
    parity = compare_outputs(REFERENCE, Outputs(maps, scores), LABELS, threshold=0.25)
    with pytest.raises(ParityError, match=f"openvino: {message}"):
        check_parity("openvino", parity, max_map_difference=0.1, max_auroc_difference=0.01)


def test_the_allowed_difference_grows_with_maps_above_one_but_does_not_shrink_below():
    large = Outputs(MAPS + 50, REFERENCE.scores)
    close = compare_outputs(large, Outputs(MAPS + 50.4, REFERENCE.scores), LABELS, 0.25)
    assert close.largest_map_value == 50
    check_parity("fp16", close, max_map_difference=0.01, max_auroc_difference=0.0)
    with pytest.raises(ParityError, match=r"within 0\.35 of"):
        check_parity("fp16", close, max_map_difference=0.007, max_auroc_difference=0.0)
    small = compare_outputs(REFERENCE, Outputs(MAPS + 0.009, REFERENCE.scores), LABELS, 0.25)
    check_parity("fp16", small, max_map_difference=0.01, max_auroc_difference=0.0)


def test_the_gate_lets_equal_models_pass():
    check_parity("onnx", compare_outputs(REFERENCE, REFERENCE, LABELS, 0.25), 0.0, 0.0)


def test_chosen_images_are_test_images_of_both_kinds_with_all_native_ones(prepared):
    chosen = choose_images(prepared, 8)
    rows = [prepared.rows[index] for index in chosen]
    assert {row.split for row in rows} == {"test"}
    assert [row.label for row in rows].count(0) == [row.label for row in rows].count(1) == 4
    assert {name for _, name in prepared.raw} <= {row.name for row in rows}
    assert len(choose_images(prepared, 1000)) == 12


def test_a_file_of_native_size_gives_the_score_of_the_prepared_array(prepared, models):
    """The whole way of a station, decode and resize included, against what evaluation saw."""
    engine = load_engine(models / "detector.safetensors")
    chosen = choose_images(prepared, 8)
    assert len(prepared.raw) == 4
    reference, station = run_reference(engine, prepared, chosen), run_station(engine, prepared, chosen)
    assert np.array_equal(reference.maps, station.maps)
    assert np.array_equal(reference.scores, station.scores)
