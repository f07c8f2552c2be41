"""Memory banks hold what normal images show, the rare as well, and nothing else."""

import numpy as np
import pytest
import torch

from efficientad.calibration.coreset import choose_coreset, fit_memory_banks
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights

NORMALS = np.arange(4)


@pytest.fixture(scope="module")
def images():
    """Smooth noise; the last one has a bright square."""
    rng = np.random.default_rng(0)
    images = np.kron(rng.integers(80, 120, (6, 16, 16, 3)), np.ones((1, 16, 16, 1))).astype(np.uint8)
    images[5, 96:160, 96:160] = 250
    return images


def fit(images, patches):
    torch.manual_seed(0)
    detector = Detector("S").eval()
    fit_memory_banks(detector, images, NORMALS, [2, 4], patches)
    return detector


def test_what_was_remembered_whole_is_near_and_a_defect_far(images):
    detector = fit(images, 100_000)
    assert detector.describe_banks() == [(2, 4 * 24 * 24), (4, 4 * 8 * 8)]
    _, _, *banks = compute_raw_maps(detector, images, np.arange(6))
    for maps in banks:
        seen, other, defect = np.max(maps[:4]), np.max(maps[4]), np.max(maps[5])
        assert seen < 1e-3 * other
        assert defect > 2 * other


def test_a_training_image_is_not_compared_with_its_own_patches(images):
    """The nearest patch of the other images by the plain formula, on a bank that holds all of them."""
    torch.manual_seed(0)
    detector = Detector("S").eval()
    owners = fit_memory_banks(detector, images, NORMALS, [4], 100_000)
    assert [one.tolist() for one in owners] == [NORMALS.repeat(64).tolist()]
    own = compute_raw_maps(detector, images, np.arange(6), owners)[2]
    (bank,) = detector.list_banks()
    patches = bank.patches.view(4, 64, -1)
    for index, image in enumerate(images):
        others = patches[[other for other in range(4) if other != index]].flatten(0, 1)
        with torch.inference_mode():
            pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
            features = detector.compute_bank_features(bank, pixels)[0].flatten(1)
            projected = (bank.projection @ features + bank.offset[:, None]).T
        distances = (projected[:, None] - others).square().mean(-1).amin(1)
        np.testing.assert_allclose(own[index].ravel(), distances, rtol=1e-3, atol=1e-3)


def test_owners_are_the_images_that_the_patches_come_from(images):
    """Of a small bank, too: its patches lie at distance 0 from their own image and from no other."""
    torch.manual_seed(0)
    detector = Detector("S").eval()
    rows = np.array([1, 3, 4])
    (owners,) = fit_memory_banks(detector, images, rows, [4], 30)
    (bank,) = detector.list_banks()
    assert owners.shape == (30,)
    with torch.inference_mode():
        for row in rows:
            pixels = torch.from_numpy(images[row]).permute(2, 0, 1)[None] / 255
            features = detector.compute_bank_features(bank, pixels)[0].flatten(1)
            projected = (bank.projection @ features + bank.offset[:, None]).T
            distances = (bank.patches[:, None] - projected).square().mean(-1).amin(1)
            assert ((distances < 1e-4).numpy() == (owners == row)).all()


def test_a_defect_is_found_in_its_place(images):
    _, _, fine, coarse = compute_raw_maps(fit(images, 500), images, np.array([5]))
    for (found,), cells in ((fine, 24), (coarse, 8)):
        assert found.shape == (cells, cells)
        row, column = np.unravel_index(found.argmax(), found.shape)
        assert abs(row - cells / 2) <= cells / 4
        assert abs(column - cells / 2) <= cells / 4


def test_repeats_bit_for_bit_and_survives_the_file(images, tmp_path):
    detector = fit(images, 300)
    save_weights(detector, tmp_path / "a", {"size": "S", "memory_banks": detector.describe_banks()})
    loaded, _ = load_detector(tmp_path / "a")
    for other in (fit(images, 300), loaded):
        for (name, one), two in zip(detector.state_dict().items(), other.state_dict().values(), strict=True):
            assert torch.equal(one, two), name


def test_without_scales_there_is_no_bank(images):
    detector = Detector("S")
    fit_memory_banks(detector, images, NORMALS, [], 10)
    assert detector.describe_banks() == []


def test_bank_keeps_the_rare_patch_that_a_random_choice_would_miss():
    torch.manual_seed(0)
    patches = torch.randn(5000, 8) * 0.01
    patches[4321] += 5
    chosen = choose_coreset(patches, 10, seed=0)
    assert 4321 in chosen.tolist()
    assert len(set(chosen.tolist())) == 10


def test_a_bank_larger_than_the_patches_is_all_of_them():
    assert choose_coreset(torch.randn(5, 3), 9, seed=0).tolist() == [0, 1, 2, 3, 4]
