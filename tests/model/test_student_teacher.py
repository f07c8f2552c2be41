"""Teacher, student and autoencoder against the paper's formulas."""

import cv2
import pytest
import torch

from efficientad.model.branch import Quantiles
from efficientad.model.detector import Detector
from efficientad.model.student_teacher import StudentTeacher


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return Detector("S").eval()


def test_detection_is_algorithm_2_written_out(detector):
    """The same numbers from the plain formulas, one image, no batch, no module of ours but the networks."""
    image, networks = torch.rand(1, 3, 256, 256), detector.student_teacher
    networks.teacher_mean.copy_(torch.randn(1, 384, 1, 1))
    networks.teacher_std.copy_(torch.rand(1, 384, 1, 1) + 0.5)
    detector.set_quantiles([Quantiles(0.5, 1.5), Quantiles(0.25, 2.25)])
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.inference_mode():
        x = (image - mean) / std
        teacher = (networks.teacher(x) - networks.teacher_mean) / networks.teacher_std
        student, autoencoder = networks.student(x), networks.autoencoder(x, (56, 56))
        m_st = 0.1 * (((teacher - student[:, :384]) ** 2).mean(1) - 0.5) / (1.5 - 0.5)
        m_ae = 0.1 * (((autoencoder - student[:, 384:]) ** 2).mean(1) - 0.25) / (2.25 - 0.25)
        padded = torch.nn.functional.pad((m_st + m_ae) / 2, (4, 4, 4, 4))
        expected = torch.nn.functional.interpolate(padded[None], (256, 256), mode="bilinear")
        assert torch.allclose(detector(image).anomaly_map, expected, atol=1e-4)


def test_a_large_image_is_judged_at_its_own_size_by_the_student_and_as_a_whole_by_the_autoencoder(detector):
    """The plain formulas, without tiles; the view by OpenCV."""
    image, networks = torch.rand(1, 3, 280, 1400), detector.student_teacher
    detector.set_quantiles([Quantiles(0.5, 1.5), Quantiles(0.25, 2.25)])
    view = cv2.resize(image[0].permute(1, 2, 0).numpy(), (256, 256), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        x = networks.normaliser(image)
        y = networks.normaliser(torch.from_numpy(view).permute(2, 0, 1)[None])
        teacher = networks.normalise_features(networks.teacher(x))
        m_st = 0.1 * (((teacher - networks.student(x)[:, :384]) ** 2).mean(1) - 0.5) / (1.5 - 0.5)
        autoencoder, student = networks.autoencoder(y, (56, 56)), networks.student(y)[:, 384:]
        m_ae = 0.1 * (((autoencoder - student) ** 2).mean(1) - 0.25) / (2.25 - 0.25)
        pad, resize = torch.nn.functional.pad, torch.nn.functional.interpolate
        m_ae = resize(pad(m_ae, (4, 4, 4, 4))[None], (70, 350), mode="bilinear")
        m_st = pad(m_st, (4, 4, 4, 4))[None]
        inside = pad(torch.ones(1, 1, 62, 342), (4, 4, 4, 4))
        expected = resize((m_st + m_ae) / 2 * inside, (280, 1400), mode="bilinear")
        torch.testing.assert_close(detector(image).anomaly_map, expected, rtol=1e-3, atol=1e-3)


def test_teacher_is_frozen():
    networks = StudentTeacher("S")
    assert not any(p.requires_grad for p in networks.teacher.parameters())
    assert all(p.requires_grad for p in networks.student.parameters())


@pytest.mark.parametrize("shared", [1, 2, 3])
def test_a_student_that_shares_convolutions_goes_on_from_the_teachers(shared):
    """The same maps as a whole student whose first convolutions are copies of the teacher's."""
    torch.manual_seed(0)
    sharing, whole = StudentTeacher("S", shared).eval(), StudentTeacher("S").eval()
    whole.teacher.load_state_dict(sharing.teacher.state_dict())
    whole.autoencoder.load_state_dict(sharing.autoencoder.state_dict())
    for index, layer in enumerate([*sharing.teacher[: sharing.shared_layers], *sharing.student]):
        whole.student[index].load_state_dict(layer.state_dict())
    image = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        for one, other in zip(sharing.compute_raw_maps(image), whole.compute_raw_maps(image), strict=True):
            torch.testing.assert_close(one, other)
