"""What a detector makes of the maps of its branches, whichever it has."""

import numpy as np
import pytest
import torch
from slow_score import find_largest_mean
from tiny_models import build_tiny

from efficientad.calibration.quantiles import compute_training_maps, fit_map_quantiles
from efficientad.model.backbone_banks import choose_window
from efficientad.model.branch import Branch, Quantiles
from efficientad.model.detector import Detector
from efficientad.model.maps import Levels
from efficientad.model.memory_bank import MemoryBank
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights

KINDS = {
    "S": ("S", []),
    "S with a bank": ("S", [("coarse", 9)]),
    "L": ("L", [("fine", 9)]),
    "L with three banks": ("L", [("coarse", 9), ("fine", 5), ("detail", 7)]),
}


@pytest.fixture(scope="module", params=KINDS)
def detector(request):
    return build_tiny(*KINDS[request.param])


def score_plainly(detector, anomaly_map):
    """Of a map (H, W): its largest value, of size L the largest mean of its windows."""
    window = choose_window(*anomaly_map.shape) if detector.size == "L" else (1, 1)
    return find_largest_mean(anomaly_map.numpy(), window)


@pytest.mark.parametrize("size", [(96, 96), (256, 320), (300, 280)])
def test_map_has_the_images_size_and_the_score_is_of_it(detector, size):
    with torch.inference_mode():
        detection = detector(torch.rand(2, 3, *size))
    assert detection.anomaly_map.shape == (2, 1, *size)
    expected = [score_plainly(detector, one[0]) for one in detection.anomaly_map]
    assert detection.anomaly_score.tolist() == pytest.approx(expected, rel=1e-5)
    highest = detection.anomaly_map.amax(dim=(1, 2, 3))
    assert (detection.anomaly_score < highest if detector.size == "L" else detection.anomaly_score == highest).all()


def combine_plainly(maps, high, weights, size):
    """A tenth of the maps' weighted geometric mean in units of their high quantiles, on the pixels."""
    resize = torch.nn.functional.interpolate
    cells = max(tuple(one.shape[-2:]) for one in maps)
    mean = torch.ones(1, 1, *cells)
    for one, unit, weight in zip(maps, high, weights, strict=True):
        mean = mean * resize((one / unit + 0.02).log(), cells, mode="bilinear").exp() ** weight
    return 0.1 * resize(mean, size, mode="bilinear")


@pytest.mark.parametrize("size", [(256, 256), (280, 512)])
@pytest.mark.parametrize("scales", [["fine"], ["coarse"], ["coarse", "detail"]])
def test_of_size_s_memory_banks_together_count_as_one_of_three_maps(scales, size):
    """The mean of three normalised maps, each brought to the pixels by the plain formulas."""
    detector = build_tiny("S", [(scale, 9) for scale in scales])
    levels = [(0.5, 1.5), (0.25, 2.25), (1.0, 1.25), (0.1, 3.0)][: 2 + len(scales)]
    weights = [0.7, 0.3] if len(scales) > 1 else [1.0]
    detector.set_quantiles([Quantiles(*one) for one in levels])
    detector.backbone_banks.weights = torch.tensor(weights)
    image = torch.rand(1, 3, *size)
    pad, resize = torch.nn.functional.pad, torch.nn.functional.interpolate
    with torch.inference_mode():
        own, banks = detector.student_teacher.compute_raw_maps(image), detector.backbone_banks.compute_raw_maps(image)
        m_st, m_ae = (0.1 * (one - low) / (high - low) for one, (low, high) in zip(own, levels, strict=False))
        cells = (size[0] // 4, size[1] // 4)  # with the border of four
        m_ae = resize(pad(m_ae, (4, 4, 4, 4)), cells, mode="bilinear")
        m_st, inside = pad(m_st, (4, 4, 4, 4)), pad(torch.ones(m_st.shape), (4, 4, 4, 4))
        pixels = [resize(one * inside, size, mode="bilinear") for one in (m_st, m_ae)]
        together = combine_plainly(banks, [high for _, high in levels[2:]], weights, size)
        torch.testing.assert_close(detector(image).anomaly_map, (sum(pixels) + together) / 3, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("weights", [[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]])
def test_of_size_l_the_map_is_the_geometric_mean_of_its_banks(weights):
    detector = build_tiny("L", [("detail", 7), ("fine", 9), ("coarse", 5)])
    high = [1.5, 1.25, 0.75]
    detector.set_quantiles([Quantiles(0.5, one) for one in high])
    detector.backbone_banks.weights = torch.tensor(weights)
    image = torch.rand(1, 3, 320, 256)
    with torch.inference_mode():
        expected = combine_plainly(detector.backbone_banks.compute_raw_maps(image), high, weights, (320, 256))
        torch.testing.assert_close(detector(image).anomaly_map, expected, rtol=1e-3, atol=1e-5)


def test_where_every_bank_is_at_its_high_quantile_the_map_is_a_tenth():
    """And two hundredths of that, which are added so that no logarithm is of 0."""
    detector = build_tiny("L", [("detail", 7), ("coarse", 5)])
    detector.set_quantiles([Quantiles(0.0, 1.5), Quantiles(0.0, 0.25)])
    found = detector.combine([torch.full((1, 1, 8, 8), 1.5), torch.full((1, 1, 4, 4), 0.25)], (64, 64))
    torch.testing.assert_close(found, torch.full((1, 1, 64, 64), 0.102))


@pytest.mark.parametrize("size", [(96, 96), (256, 512)])
def test_nothing_outside_of_the_region_counts(detector, size):
    region = np.zeros(size, bool)
    region[30:60, 40:90] = True
    image = torch.rand(1, 3, *size)
    with torch.inference_mode():
        whole = detector(image)
        detector.set_region(region)
        found = detector(image)
        detector.set_region(None)
    inside = whole.anomaly_map[0, 0] * torch.from_numpy(region)
    assert torch.equal(found.anomaly_map[0, 0], inside)
    assert float(found.anomaly_score) == pytest.approx(score_plainly(detector, inside), rel=1e-5)


def test_images_of_a_batch_do_not_touch_each_other(detector):
    images = torch.rand(3, 3, 128, 128) * torch.tensor([1.0, 0.5, 0.1]).view(3, 1, 1, 1)
    with torch.inference_mode():
        together = detector(images).anomaly_score
        alone = torch.cat([detector(one[None]).anomaly_score for one in images])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(("size", "banks"), KINDS.values(), ids=KINDS)
def test_everything_a_score_depends_on_is_in_the_state(size, banks, tmp_path):
    """Another detector that takes the state over gives the same map of an image, and so does one from the file."""
    torch.manual_seed(0)
    one, other = (Detector(size, 2, (96, 96), banks).eval() for _ in range(2))
    for name, tensor in one.state_dict().items():
        if name.endswith(("quantiles", "std")):
            tensor.copy_(torch.rand_like(tensor).cumsum(-1) + 0.5)
        elif "region" in name:
            tensor.copy_(torch.rand(tensor.shape) > 0.5)
        elif name.endswith("weights"):
            tensor.copy_(torch.softmax(torch.rand_like(tensor), dim=0))
        elif ".banks" in name or name.endswith("teacher_mean"):
            tensor.normal_()
        elif ".backbone" in name:
            tensor.normal_(std=0.2)
    image = torch.rand(1, 3, 96, 96)
    header = {"size": size, "shared_convolutions": 2, "image_size": [96, 96], "region": True}
    save_weights(one, tmp_path / "weights", header | {"memory_banks": one.describe_banks()})
    with torch.inference_mode():
        expected = one(image).anomaly_map
        assert float(expected.std()) > 0
        assert not torch.allclose(other(image).anomaly_map, expected, rtol=1e-2)
        other.load_state_dict(one.state_dict())
        assert torch.equal(other(image).anomaly_map, expected)
        loaded, _ = load_detector(tmp_path / "weights")
        assert torch.equal(loaded(image).anomaly_map, expected)


def build_empty(detector, patches):
    """Banks for a detector's backbone, by scale."""
    count = detector.backbone_banks.count_channels
    return {scale: MemoryBank(count(scale), number) for scale, number in patches.items()}


@pytest.mark.parametrize(("size", "own"), [("S", ["student", "autoencoder"]), ("L", [])])
def test_branches_are_listed_in_the_order_of_the_maps_with_their_quantiles(size, own):
    filled = build_tiny("L", [("fine", 1)])
    detector = Detector(size).eval()
    detector.add_backbone(filled.backbone_banks.backbone)
    detector.set_banks(build_empty(detector, {"coarse": 5, "detail": 3}), [0.75, 0.25])
    quantiles = [Quantiles(float(low), low + 0.5) for low in range(len(own) + 2)]
    detector.set_quantiles(quantiles)
    names = [*own, "memory_bank_coarse", "memory_bank_detail"]
    assert detector.list_branches() == [Branch(*one) for one in zip(names, quantiles, strict=True)]
    assert detector.describe_banks() == [("coarse", 5), ("detail", 3)]
    assert detector.backbone_banks.weights.tolist() == [0.75, 0.25]
    assert detector.list_borders() == [4] * len(own) + [0, 0]
    with torch.inference_mode():
        sides = [one.shape[-1] for one in detector.compute_raw_maps(torch.rand(1, 3, 256, 256))]
    assert sides == [56] * len(own) + [32, 64]
    with pytest.raises(ValueError, match=f"expected quantiles of {len(names)} branches, got 1"):
        detector.set_quantiles(quantiles[:1])


def test_new_banks_ask_for_new_quantiles_and_for_a_backbone():
    detector = build_tiny("S")
    filled = build_tiny("L", [("fine", 1)])
    banks = build_empty(filled, {"fine": 3})
    with pytest.raises(ValueError, match="expected a detector with a backbone"):
        detector.set_banks(banks, [1.0])
    detector.add_backbone(filled.backbone_banks.backbone)
    detector.set_banks(banks, [1.0])
    assert detector.quantiles.tolist() == [[0.0, 1.0]] * 3
    detector.set_quantiles([Quantiles(0.5, 1.5)] * 3)
    detector.set_banks(build_empty(filled, {"detail": 2, "coarse": 4}), [0.5, 0.5])
    assert detector.quantiles.tolist() == [[0.0, 1.0]] * 4
    assert detector.describe_banks() == [("detail", 2), ("coarse", 4)]


def test_size_l_trains_nothing_and_has_no_patch_description_network():
    detector = Detector("L")
    assert detector.student_teacher is None
    assert not [name for name, parameter in detector.named_parameters() if parameter.requires_grad]


def test_quantiles_are_of_the_cells_in_the_region_whatever_the_branchs_border():
    """The least and the largest value of each raw map in a region; the branches' grids differ."""
    detector = build_tiny("S", [("coarse", 9), ("detail", 5)])
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    region = np.zeros((96, 96), bool)
    region[:8, :8] = True  # seen by the banks alone: no patch description is centred there
    region[40:48, 40:48] = True
    owners = [np.full(9, -1), np.full(5, -1)]
    maps = compute_training_maps(detector, images, np.arange(3), owners, region)
    found = fit_map_quantiles(maps, Levels(0.0, 1.0, "pixels"))
    with torch.inference_mode():
        raw = detector.compute_raw_maps(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)
    inside = np.s_[:, 0, 6:8, 6:8]  # px 40 .. 48 less 16 of border, 4 px a cell
    expected = [one[inside].flatten() for one in raw[:2]]
    coarse, detail = (one[:, 0] for one in raw[2:])  # 32 cells of 3 px, and 64 of 1.5 px
    expected.append(torch.cat([coarse[:, :3, :3].flatten(), coarse[:, 13:16, 13:16].flatten()]))
    expected.append(torch.cat([detail[:, :6, :6].flatten(), detail[:, 26:32, 26:32].flatten()]))
    for quantiles, branch, values in zip(found, maps, expected, strict=True):
        assert sum(one.size for one in branch) == len(values)
        assert quantiles.low == pytest.approx(float(values.min()), rel=1e-4)
        assert quantiles.high == pytest.approx(float(values.max()), rel=1e-4)
