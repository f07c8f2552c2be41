"""Memory banks hold what normal images show, the rare as well, and nothing else."""

import numpy as np
import pytest
import torch
from tiny_models import build_tiny

from efficientad.calibration import coreset
from efficientad.calibration.coreset import choose_coreset, fit_memory_banks, set_projection
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.memory_bank import BANK_DIMENSIONS, MemoryBank
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights

NORMALS = np.arange(4)
SIDE = 64


@pytest.fixture(scope="module")
def images():
    """Smooth noise; the last one has a bright square."""
    rng = np.random.default_rng(0)
    images = np.kron(rng.integers(80, 120, (6, 8, 8, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    images[5, 24:40, 24:40] = 250
    return images


def fit(images, patches, scales=("coarse",), size="L", rows=NORMALS, seed=0):
    """patches: of each of the scales, or one number for all."""
    detector = build_tiny(size)
    if detector.backbone_banks is None:
        detector.add_backbone(build_tiny("L").backbone_banks.backbone)
    counts = patches if isinstance(patches, dict) else dict.fromkeys(scales, patches)
    return detector, fit_memory_banks(detector, images, rows, counts, seed)


def project_plainly(detector, index, image):
    """The principal components (h * w, D) of an image's features, by matrix products."""
    banks = detector.backbone_banks
    bank = banks.banks[index]
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        (features,) = banks.compute_features(pixels, [banks.scales[index]])
        return (bank.projection @ features[0].flatten(1) + bank.offset[:, None]).T


@pytest.mark.parametrize("size", ["S", "L"])
def test_what_was_kept_whole_is_near_and_a_defect_far(images, size):
    detector, _ = fit(images, 100_000, ("fine", "coarse"), size)
    assert detector.describe_banks() == [("fine", 4 * 32 * 32), ("coarse", 4 * 32 * 32)]
    for maps in compute_raw_maps(detector, images, np.arange(6))[-2:]:
        seen, other, defect = np.max(maps[:4]), np.max(maps[4]), np.max(maps[5])
        assert seen < 1e-3 * other
        assert defect > 1.5 * other


def test_a_training_image_is_not_compared_with_its_own_patches(images):
    """The nearest patch of the other images by the plain formula, on a bank that holds all of them."""
    detector, owners = fit(images, 100_000)
    assert [one.tolist() for one in owners] == [NORMALS.repeat(1024).tolist()]
    (own,) = compute_raw_maps(detector, images, np.arange(6), owners)
    patches = detector.backbone_banks.banks[0].patches.view(4, 1024, -1)
    for index, image in enumerate(images):
        others = patches[[other for other in range(4) if other != index]].flatten(0, 1)
        projected = project_plainly(detector, 0, image)
        distances = torch.cdist(projected.double(), others.double()).amin(1) ** 2 / others.shape[1]
        np.testing.assert_allclose(own[index].ravel(), distances, rtol=1e-3, atol=1e-3)


def test_owners_are_the_images_that_the_patches_of_each_bank_come_from(images):
    """Patches lie at distance 0 from their own image and from no other; one after the other, and sixteen at once."""
    rows = np.array([1, 3, 4])
    patches = {"coarse": 30, "detail": 300, "fine": 40}
    detector, owners = fit(images, patches, rows=rows)
    assert detector.describe_banks() == list(patches.items())
    assert detector.backbone_banks.weights.tolist() == pytest.approx([1 / 3] * 3)
    for index, (bank, own) in enumerate(zip(detector.backbone_banks.banks, owners, strict=True)):
        assert own.shape == (len(bank.patches),)
        assert set(own) == set(rows)
        for row in rows:
            projected = project_plainly(detector, index, images[row])
            nearest = torch.cdist(bank.patches, projected).amin(1) ** 2 / bank.patches.shape[1]
            assert ((nearest < 1e-4).numpy() == (own == row)).all()


def test_a_bank_knows_the_variance_of_the_patches_that_were_drawn(images):
    """A mean over the components; of a bank that holds every patch, of those that it holds."""
    detector, _ = fit(images, {"detail": 100_000, "coarse": 100_000})
    for bank in detector.backbone_banks.banks:
        components = bank.patches.double().numpy()
        expected = ((components - components.mean(axis=0)) ** 2).sum(axis=0) / (len(components) - 1)
        assert float(bank.variance) == pytest.approx(expected.mean(), rel=1e-4)
    few, _ = fit(images, {"detail": 9, "coarse": 9})
    for bank, other in zip(detector.backbone_banks.banks, few.backbone_banks.banks, strict=True):
        assert float(other.variance) == pytest.approx(float(bank.variance), rel=1e-4)


def test_the_components_are_those_about_the_mean_of_all_images(images):
    """Each has its share in the mean, so that the mean of all patches projects to nothing."""
    detector, _ = fit(images, 100, ("fine",))
    projected = torch.cat([project_plainly(detector, 0, images[row]) for row in NORMALS])
    assert float(projected.mean(dim=0).abs().max()) < 1e-3


def test_a_defect_is_found_in_its_place(images):
    detector, _ = fit(images, 500, ("detail", "fine", "coarse"))
    for (found,), cells in zip(compute_raw_maps(detector, images, np.array([5])), (64, 32, 32), strict=True):
        assert found.shape == (cells, cells)
        row, column = np.unravel_index(found.argmax(), found.shape)
        assert abs(row + 0.5 - cells / 2) <= cells / 4
        assert abs(column + 0.5 - cells / 2) <= cells / 4


def test_repeats_bit_for_bit_and_survives_the_file(images, tmp_path):
    patches = {"fine": 300, "coarse": 100}
    detector, owners = fit(images, patches)
    header = {"size": "L", "memory_banks": detector.describe_banks()}
    save_weights(detector, tmp_path / "a", header)
    again, same_owners = fit(images, patches)
    assert [one.tolist() for one in owners] == [one.tolist() for one in same_owners]
    save_weights(again, tmp_path / "b", header)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded, read = load_detector(tmp_path / "a")
    assert read["memory_banks"] == [["fine", 300], ["coarse", 100]]
    assert loaded.describe_banks() == [("fine", 300), ("coarse", 100)]
    for (name, one), two in zip(detector.state_dict().items(), loaded.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_another_seed_chooses_other_patches_of_every_image(images):
    patches = {"fine": 300, "coarse": 30}
    for one, other in zip(fit(images, patches)[1], fit(images, patches, seed=1)[1], strict=True):
        assert set(one) == set(other) == set(NORMALS)
        assert one.tolist() != other.tolist()


def test_without_scales_there_is_no_bank(images):
    detector = Detector("S")
    assert fit_memory_banks(detector, images, NORMALS, {}, 0) == []
    assert detector.describe_banks() == []


def test_many_images_give_equally_many_patches_each(images, monkeypatch):
    """Of four images with 1,024 patches and more each, 100 are drawn of each one, and all of those are kept."""
    monkeypatch.setattr(coreset, "_MOST_PATCHES", 400)
    for owners in fit(images, 100_000, ("fine", "detail"))[1]:
        assert np.bincount(owners).tolist() == [100] * 4


def test_components_are_the_principal_ones_of_the_normalised_channels():
    """Their variances are the largest eigenvalues of the channels' correlations, and they are not correlated."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((150, 150)) * np.geomspace(3, 0.01, 150)[:, None]
    vectors = rng.standard_normal((2000, 150)) @ mixing * 5 + 20
    bank = MemoryBank(150, 1)
    set_projection(bank, torch.from_numpy(vectors).float())
    with torch.inference_mode():
        components = bank.project(torch.from_numpy(vectors).float().T[None, :, :, None])[0, :, :, 0].double().numpy()
    expected = np.linalg.eigvalsh(np.corrcoef(vectors.T))[-BANK_DIMENSIONS:]
    covariance = np.cov(components)
    np.testing.assert_allclose(np.sort(np.diag(covariance)), expected, rtol=1e-2, atol=1e-4)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3 * expected.max()
    np.testing.assert_allclose(components.mean(axis=1), 0, atol=1e-3)


def find_worst_distance(patches, chosen):
    """The distance from the patch that lies farthest from all chosen ones."""
    return float(torch.cdist(patches, patches[chosen]).amin(1).max())


def choose_greedily(patches, count, first):
    """Roth et al. 2022, algorithm 1: the next one is the farthest from those chosen."""
    chosen = [first]
    while len(chosen) < count:
        distances = [min(float((patch - patches[one]).norm()) for one in chosen) for patch in patches]
        chosen.append(int(np.argmax(distances)))
    return chosen


def draw_clusters(count, dimensions=8):
    """Most patches in a few dense clusters of very different size, some far from all."""
    rng = np.random.default_rng(0)
    centres = 10 * rng.standard_normal((12, dimensions))
    sizes = rng.dirichlet(np.full(12, 0.5))
    places = rng.choice(12, count, p=sizes)
    patches = centres[places] + rng.standard_normal((count, dimensions)) * rng.uniform(0.1, 1, 12)[places, None]
    patches[::500] += 15 * rng.standard_normal((len(patches[::500]), dimensions))
    return torch.from_numpy(patches).float()


def test_few_patches_are_chosen_as_the_greedy_algorithm_does(monkeypatch):
    """With an identity in place of the random projection, in which both choose."""
    monkeypatch.setattr(torch, "randn", lambda *shape, generator: torch.eye(*shape))
    patches = draw_clusters(200)
    chosen = choose_coreset(patches, 12, seed=0).tolist()
    assert chosen == choose_greedily(patches, 12, first=chosen[0])


def choose_by_groups(patches, count, order, groups):
    """The same with the farthest of each group at once; those left over, which fill no group, come first."""
    rest = len(order) % groups
    members = order[rest:].reshape(groups, -1)
    chosen = [*order[:rest].tolist(), *members[:, 0].tolist()]
    while len(chosen) < count:
        distances = torch.cdist(patches, patches[chosen]).amin(1)
        chosen += [int(group[distances[group].argmax()]) for group in members]
    return chosen[:count]


@pytest.mark.parametrize(("count", "groups"), [(255, 1), (256, 16), (300, 16)])
def test_from_16_times_16_on_the_farthest_of_each_random_sixteenth_are_chosen_at_once(monkeypatch, count, groups):
    monkeypatch.setattr(torch, "randn", lambda *shape, generator: torch.eye(*shape, dtype=torch.double))
    patches = draw_clusters(1003).double()
    order = torch.randperm(1003, generator=torch.Generator().manual_seed(0))
    assert choose_coreset(patches, count, seed=0).tolist() == choose_by_groups(patches, count, order, groups)


def test_many_patches_cover_nearly_as_well_as_the_greedy_choice_and_far_better_than_a_random_one(monkeypatch):
    patches = draw_clusters(8000)
    at_once = find_worst_distance(patches, choose_coreset(patches, 512, seed=0))
    monkeypatch.setattr(coreset, "_AT_ONCE", 1)
    greedy = find_worst_distance(patches, choose_coreset(patches, 512, seed=0))
    random = find_worst_distance(patches, torch.arange(512))
    assert at_once < 1.25 * greedy
    assert random > 2 * at_once


@pytest.mark.parametrize("count", [10, 300])
def test_bank_keeps_the_rare_patch_that_a_random_choice_would_miss(count):
    """Wherever it lies: 5,000 patches are not a multiple of the sixteen that are chosen at once."""
    torch.manual_seed(0)
    plain = torch.randn(5000, 8) * 0.01
    dealt = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
    for rare in (0, 4321, int(dealt[0]), int(dealt[-1])):
        patches = plain.clone()
        patches[rare] += 5
        chosen = choose_coreset(patches, count, seed=0).tolist()
        assert rare in chosen
        assert len(set(chosen)) == count


def test_another_seed_chooses_other_patches_and_the_same_one_the_same():
    patches = draw_clusters(2000)
    for count in (10, 300):
        first, again, other = (choose_coreset(patches, count, seed).tolist() for seed in (0, 0, 1))
        assert first == again
        assert first != other


def test_a_bank_larger_than_the_patches_is_all_of_them():
    assert choose_coreset(torch.randn(5, 3), 9, seed=0).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("count", [999, 1000, 990])
def test_nearly_all_patches_are_chosen_once_each(count):
    chosen = choose_coreset(torch.randn(1000, 8), count, seed=0).tolist()
    assert len(chosen) == len(set(chosen)) == count
