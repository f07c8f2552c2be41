"""The share of each memory bank, and what it is chosen by: how much of good patches the fine bank explains."""

import copy

import numpy as np
import pytest
import torch
from tiny_models import build_tiny

from efficientad.calibration.bank_weights import choose_weights, fit_weights, measure_unexplained
from efficientad.calibration.coreset import fit_memory_banks
from efficientad.calibration.quantiles import compute_training_maps
from efficientad.model.branch import Quantiles

ALL = ["detail", "fine", "coarse"]
SIDE = 64
NORMALS = np.arange(5)


def fit(images, patches, size="L"):
    """What is unexplained of normal images, each compared with the patches of the others."""
    detector = build_tiny(size)
    if detector.backbone_banks is None:
        detector.add_backbone(build_tiny("L").backbone_banks.backbone)
    owners = fit_memory_banks(detector, images, NORMALS, patches, seed=0)
    return detector, compute_training_maps(detector, images, NORMALS, owners, None)


def draw_alike():
    """Five images of one pattern, with a little noise."""
    rng = np.random.default_rng(0)
    pattern = np.kron(rng.integers(40, 200, (8, 8, 3)), np.ones((8, 8, 1)))
    return (pattern + rng.normal(0, 0.5, (5, SIDE, SIDE, 3))).round().astype(np.uint8)


def draw_apart():
    """Five images that have nothing in common but their statistics."""
    rng = np.random.default_rng(0)
    return np.stack([np.kron(rng.integers(40, 200, (8, 8, 3)), np.ones((8, 8, 1))) for _ in NORMALS]).astype(np.uint8)


@pytest.mark.parametrize("scales", [ALL, ALL[::-1], ["fine"], ["coarse"], ["detail"], ALL[:2], ALL[::2], ALL[1:]])
def test_shares_add_up_to_one_and_the_coarse_one_never_falls(scales):
    before = 0.0
    for unexplained in np.linspace(0, 1, 41):
        weights = choose_weights(scales, float(unexplained))
        assert len(weights) == len(scales)
        assert min(weights) >= 0
        assert sum(weights) == pytest.approx(1)
        share = dict(zip(scales, weights, strict=True))
        assert share.get("coarse", 1.0) >= before
        before = share.get("coarse", 0.0)
        if {"detail", "fine"} <= set(scales):
            assert share["fine"] == pytest.approx(share["detail"])


def test_the_coarse_bank_gets_a_quarter_at_least_and_everything_at_most():
    unexplained = [0.0, 0.33, 0.495, 0.66, 1.0]
    assert [choose_weights(ALL, one)[2] for one in unexplained] == pytest.approx([0.25, 0.25, 0.625, 1.0, 1.0])
    assert choose_weights(ALL, 0.495) == pytest.approx([0.1875, 0.1875, 0.625])
    assert choose_weights(["coarse", "fine"], 0.0) == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("scale", ALL)
@pytest.mark.parametrize("unexplained", [0.0, 0.5, 1.0])
def test_a_bank_alone_gets_everything(scale, unexplained):
    assert choose_weights([scale], unexplained) == [1.0]


@pytest.mark.parametrize("size", ["S", "L"])
def test_unexplained_is_the_mean_distance_in_units_of_the_patches_variance(size):
    """Of the fine bank, wherever it stands, written out plainly on a bank that holds every patch."""
    images = draw_apart()
    detector, maps = fit(images, {"coarse": 9, "fine": 100_000, "detail": 9}, size)
    bank = detector.backbone_banks.banks[1]
    patches = bank.patches.double().view(5, 1024, -1)
    distances = []
    for index in range(5):
        others = torch.cat([patches[other] for other in range(5) if other != index])
        distances.append(torch.cdist(patches[index], others).amin(1) ** 2 / patches.shape[-1])
    expected = torch.cat(distances).mean() / patches.flatten(0, 1).var(dim=0).mean()
    assert measure_unexplained(detector, maps) == pytest.approx(float(expected), rel=1e-3)


def test_parts_that_are_alike_are_explained_and_those_that_are_not_are_not():
    alike, apart = (measure_unexplained(*fit(images, {"fine": 100_000})) for images in (draw_alike(), draw_apart()))
    assert alike < 0.05
    assert 0.3 < apart <= 1
    kept = measure_unexplained(*fit(draw_alike(), {"fine": 20}))
    assert kept > 2 * alike


def test_distances_of_more_than_the_variance_are_one():
    """A bank of patches that are far from all images."""
    detector, _ = fit(draw_apart(), {"fine": 50})
    bank = detector.backbone_banks.banks[0]
    bank.patches = bank.patches + 10
    maps = compute_training_maps(detector, draw_apart(), NORMALS, [np.full(50, -1)], None)
    assert measure_unexplained(detector, maps) == 1.0


def test_without_a_fine_bank_or_a_backbone_nothing_is_unexplained():
    assert measure_unexplained(*fit(draw_apart(), {"coarse": 50, "detail": 50})) == 0
    assert measure_unexplained(build_tiny("S"), [[], []]) == 0


def test_the_shares_are_set_and_returned_with_what_they_were_chosen_by():
    detector, maps = fit(draw_alike(), {"fine": 2000, "coarse": 50})
    unexplained = measure_unexplained(detector, maps)
    found = fit_weights(detector, maps)
    assert found.pop("unexplained") == pytest.approx(unexplained, abs=1e-4)
    assert list(found) == ["fine", "coarse"]
    expected = choose_weights(["fine", "coarse"], unexplained)
    assert detector.backbone_banks.weights.tolist() == pytest.approx(expected)
    assert [*found.values()] == pytest.approx(expected, abs=1e-4)
    assert expected != pytest.approx([0.5, 0.5], abs=0.01)
    assert fit_weights(build_tiny("S"), [[], []]) == {}


def test_a_bank_that_gets_no_share_is_dropped_with_its_quantiles(monkeypatch):
    """What is judged stays the same, and a station computes less."""
    monkeypatch.setattr("efficientad.calibration.bank_weights.measure_unexplained", lambda *_: 0.7)
    detector, maps = fit(draw_apart(), dict.fromkeys(ALL, 20))
    detector.set_quantiles([Quantiles(0.0, 1.0 + place) for place in range(3)])
    whole = copy.deepcopy(detector)
    whole.backbone_banks.weights = torch.tensor([0.0, 0.0, 1.0])
    shares = fit_weights(detector, maps)
    assert shares == {"unexplained": 0.7, "detail": 0.0, "fine": 0.0, "coarse": 1.0}
    names = {branch.name: branch.quantiles.high for branch in detector.list_branches()}
    assert names == {"memory_bank_coarse": 3.0}
    assert detector.describe_banks() == [("coarse", 20)]
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        alone, beside = detector(image).anomaly_score, whole(image).anomaly_score
    torch.testing.assert_close(alone, beside, rtol=0.1, atol=0.01)  # on coarser cells


def test_of_a_size_with_a_student_its_quantiles_stay():
    detector, _ = fit(draw_apart(), {"fine": 20, "coarse": 20}, "S")
    detector.set_quantiles([Quantiles(0.0, 1.0 + place) for place in range(4)])
    detector.set_weights([1.0, 0.0])
    assert [branch.quantiles.high for branch in detector.list_branches()] == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="expected the shares of 1 memory banks, got 2"):
        detector.set_weights([0.5, 0.5])
