import cv2
import numpy as np
import pytest
import torch

from efficientad.model.branch import Branch, Quantiles
from efficientad.model.detector import Detector
from efficientad.model.memory_bank import MemoryBank


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return Detector("S").eval()


@pytest.mark.parametrize("side", [96, 256, 320])
def test_map_has_the_images_size_and_score_is_its_maximum(detector, side):
    with torch.inference_mode():
        detection = detector(torch.rand(2, 3, side, side))
    assert detection.anomaly_map.shape == (2, 1, side, side)
    assert torch.equal(detection.anomaly_score, detection.anomaly_map.amax(dim=(1, 2, 3)))


def test_detection_is_algorithm_2_written_out(detector):
    """The same numbers from the plain formulas, one image, no batch, no module of ours but the networks."""
    image = torch.rand(1, 3, 256, 256)
    detector.teacher_mean.copy_(torch.randn(1, 384, 1, 1))
    detector.teacher_std.copy_(torch.rand(1, 384, 1, 1) + 0.5)
    detector.set_quantiles([Quantiles(0.5, 1.5), Quantiles(0.25, 2.25)])
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.inference_mode():
        x = (image - mean) / std
        teacher = (detector.teacher(x) - detector.teacher_mean) / detector.teacher_std
        student, autoencoder = detector.student(x), detector.autoencoder(x, (56, 56))
        m_st = 0.1 * (((teacher - student[:, :384]) ** 2).mean(1) - 0.5) / (1.5 - 0.5)
        m_ae = 0.1 * (((autoencoder - student[:, 384:]) ** 2).mean(1) - 0.25) / (2.25 - 0.25)
        padded = torch.nn.functional.pad((m_st + m_ae) / 2, (4, 4, 4, 4))
        expected = torch.nn.functional.interpolate(padded[None], (256, 256), mode="bilinear")
        assert torch.allclose(detector(image).anomaly_map, expected, atol=1e-4)


def test_a_large_image_is_judged_at_its_own_size_by_the_student_and_as_a_whole_by_the_autoencoder(detector):
    """The plain formulas, without tiles; the view by OpenCV."""
    image = torch.rand(1, 3, 280, 1400)
    detector.set_quantiles([Quantiles(0.5, 1.5), Quantiles(0.25, 2.25)])
    view = cv2.resize(image[0].permute(1, 2, 0).numpy(), (256, 256), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        x = detector.normaliser(image)
        y = detector.normaliser(torch.from_numpy(view).permute(2, 0, 1)[None])
        teacher = detector.normalise_features(detector.teacher(x))
        m_st = 0.1 * (((teacher - detector.student(x)[:, :384]) ** 2).mean(1) - 0.5) / (1.5 - 0.5)
        autoencoder, student = detector.autoencoder(y, (56, 56)), detector.student(y)[:, 384:]
        m_ae = 0.1 * (((autoencoder - student) ** 2).mean(1) - 0.25) / (2.25 - 0.25)
        pad, resize = torch.nn.functional.pad, torch.nn.functional.interpolate
        m_ae = resize(pad(m_ae, (4, 4, 4, 4))[None], (70, 350), mode="bilinear")
        m_st = pad(m_st, (4, 4, 4, 4))[None]
        inside = pad(torch.ones(1, 1, 62, 342), (4, 4, 4, 4))
        expected = resize((m_st + m_ae) / 2 * inside, (280, 1400), mode="bilinear")
        torch.testing.assert_close(detector(image).anomaly_map, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size", [(256, 256), (280, 512)])
def test_memory_banks_add_maps_of_the_whole_image_at_their_scale(size):
    """The plain formulas; the size by OpenCV. Branches count alike; a memory bank is cut off below its low level."""
    torch.manual_seed(0)
    detector = Detector("S", banks=[(2, 30), (4, 10)]).eval()
    for bank in detector.memory_banks:
        bank.projection.normal_()
        bank.patches.normal_()
    detector.set_quantiles([Quantiles(0.5, 1.5)] * 4)
    image = torch.rand(1, 3, *size) * torch.linspace(0.1, 0.5, size[1])
    view = cv2.resize(image[0].permute(1, 2, 0).numpy(), (256, 256), interpolation=cv2.INTER_AREA)
    height, width = size[0] // 4, size[1] // 4
    with torch.inference_mode():
        whole = Detector("S").eval()
        state = {name: value for name, value in detector.state_dict().items() if not name.startswith("memory_banks")}
        whole.load_state_dict(state | {"quantiles": detector.quantiles[:2]})
        expected = 2 * whole(image).anomaly_map
        for index, (bank, side) in enumerate(zip(detector.memory_banks, (128, 64), strict=True)):
            small = torch.from_numpy(cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA))
            small = small.permute(2, 0, 1)[None]
            features = detector.teacher(detector.normaliser(small * 0.45 / (small.mean() + 0.02)))
            bank.projection.div_(torch.einsum("dc,bchw->bhwd", bank.projection, features).std())
            projected = torch.einsum("dc,bchw->bhwd", bank.projection, features) + bank.offset
            nearest = (projected[..., None, :] - bank.patches).square().mean(-1).amin(-1)
            low, high = (float(nearest.quantile(level)) for level in (0.5, 0.9))
            detector.quantiles[2 + index] = torch.tensor([low, high])
            normalised = 0.1 * (nearest - low).clamp(min=0) / (high - low)
            padded = torch.nn.functional.pad(normalised, (4, 4, 4, 4), mode="replicate")[None]
            cells = torch.nn.functional.interpolate(padded, (height, width), mode="bilinear")
            inside = torch.nn.functional.pad(torch.ones(1, 1, height - 8, width - 8), (4, 4, 4, 4))
            expected = expected + torch.nn.functional.interpolate(cells * inside, size, mode="bilinear")
        torch.testing.assert_close(detector(image).anomaly_map, expected / 4, rtol=1e-3, atol=1e-3)


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
    assert torch.equal(found.anomaly_map[0, 0], whole.anomaly_map[0, 0] * torch.from_numpy(region))
    assert float(found.anomaly_score) == float(whole.anomaly_map[0, 0][30:60, 40:90].max())


def test_images_of_a_batch_do_not_touch_each_other(detector):
    images = torch.rand(3, 3, 128, 128)
    with torch.inference_mode():
        together = detector(images).anomaly_score
        alone = torch.cat([detector(one[None]).anomaly_score for one in images])
    assert torch.allclose(together, alone, atol=1e-5)


def test_everything_a_score_depends_on_is_in_the_state():
    """Another detector that takes the state over says the same of an image."""
    torch.manual_seed(0)
    one, other = (Detector("S", 2, (96, 96), [(4, 5)]).eval() for _ in range(2))
    for name, tensor in one.state_dict().items():
        if name.endswith(("quantiles", "std")):
            tensor.copy_(torch.rand_like(tensor).cumsum(-1) + 0.5)
        elif "region" in name:
            tensor.copy_(torch.rand(tensor.shape) > 0.5)
        elif "memory_banks" in name or name == "teacher_mean":
            tensor.normal_()
    image = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        expected = one(image).anomaly_map
        assert not torch.allclose(other(image).anomaly_map, expected, rtol=1e-2)
        other.load_state_dict(one.state_dict())
        assert torch.equal(other(image).anomaly_map, expected)


def test_teacher_is_frozen(detector):
    assert not any(p.requires_grad for p in detector.teacher.parameters())
    assert all(p.requires_grad for p in detector.student.parameters())


@pytest.mark.parametrize("shared", [1, 2, 3])
def test_a_student_that_shares_convolutions_goes_on_from_the_teachers(shared):
    """The same maps as a whole student whose first convolutions are copies of the teacher's."""
    torch.manual_seed(0)
    sharing, whole = Detector("S", shared).eval(), Detector("S").eval()
    whole.teacher.load_state_dict(sharing.teacher.state_dict())
    whole.autoencoder.load_state_dict(sharing.autoencoder.state_dict())
    for index, layer in enumerate([*sharing.teacher[: sharing.shared_layers], *sharing.student]):
        whole.student[index].load_state_dict(layer.state_dict())
    image = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        for one, other in zip(sharing.compute_raw_maps(image), whole.compute_raw_maps(image), strict=True):
            torch.testing.assert_close(one, other)


def test_branches_are_listed_in_the_order_of_the_maps_with_their_quantiles():
    detector = Detector("S")
    detector.add_banks([MemoryBank(2, 5), MemoryBank(4, 3)])
    quantiles = [Quantiles(float(low), low + 0.5) for low in range(4)]
    detector.set_quantiles(quantiles)
    names = ["student", "autoencoder", "memory_bank_2", "memory_bank_4"]
    assert detector.list_branches() == [Branch(*one) for one in zip(names, quantiles, strict=True)]
    assert detector.describe_banks() == [(2, 5), (4, 3)]
    with torch.inference_mode():
        assert [one.shape[-1] for one in detector.compute_raw_maps(torch.rand(1, 3, 256, 256))] == [56, 56, 24, 8]
    with pytest.raises(ValueError, match="expected quantiles of 4 branches, got 2"):
        detector.set_quantiles(quantiles[:2])


def test_a_patch_that_is_excluded_is_not_compared_with():
    """Each image of the batch leaves out others; the same as a bank without them."""
    torch.manual_seed(0)
    detector = Detector("S", banks=[(4, 6)]).eval()
    (bank,) = detector.list_banks()
    bank.projection.normal_()
    bank.patches.normal_()
    images, excluded = torch.rand(2, 3, 256, 256), torch.rand(2, 6) > 0.4
    with torch.inference_mode():
        found = detector.compute_raw_maps(images, [excluded])[2]
        for image, left_out, one in zip(images, excluded, found, strict=True):
            smaller = MemoryBank(4, int((~left_out).sum()))
            smaller.projection, smaller.patches = bank.projection, bank.patches[~left_out]
            expected = smaller(detector.compute_bank_features(bank, image[None]))
            torch.testing.assert_close(one[None], expected)
            assert not torch.allclose(one[None], bank(detector.compute_bank_features(bank, image[None])))
