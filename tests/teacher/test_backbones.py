import pytest
import torch
import torch.nn.functional as F
from skimage.data import astronaut

from efficientad.errors import ModelError, ParamsError
from efficientad.teacher import wide_resnet
from efficientad.teacher.backbones import (
    Backbone,
    Level,
    WideResNetBackbone,
    build_backbone,
    build_reading_matrix,
    compute_targets,
    pool_channels,
)
from efficientad.teacher.wide_resnet import WideResNet101

PHOTOGRAPH = torch.from_numpy(astronaut()).permute(2, 0, 1)[None].float() / 255  # (1, 3, 512, 512)


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_each_lite_backbone_gives_384_varying_channels(variant):
    with torch.inference_mode():
        targets = compute_targets(build_backbone(f"efficientnet_lite{variant}"), PHOTOGRAPH)
    assert targets.shape == (1, 384, 56, 56)
    assert float(targets.std(dim=(0, 2, 3)).min()) > 0


def test_wide_resnet_takes_the_same_path_and_loads_a_torchvision_state_dict(tmp_path):
    torch.manual_seed(0)
    source = WideResNet101()
    state = source.state_dict() | {
        "fc.weight": torch.zeros(1000, 2048),
        "layer4.0.conv1.weight": torch.zeros(1),
    }
    torch.save(state, tmp_path / "wide.pth")
    backbone = build_backbone("wide_resnet101_2", tmp_path / "wide.pth")
    with torch.inference_mode():
        assert compute_targets(backbone, PHOTOGRAPH).shape == (1, 384, 56, 56)
        expected = source.eval()((PHOTOGRAPH - backbone.normaliser.mean) / backbone.normaliser.std)
        assert torch.equal(backbone(PHOTOGRAPH)[1].features, expected[1])


def test_a_checkpoint_whose_name_states_another_hash_is_refused_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "wide_resnet101_2-32ee1156.pth").write_bytes(b"other weights")
    monkeypatch.setattr(wide_resnet.torch, "load", None)
    with pytest.raises(ModelError, match="expected a sha256 that begins with 32ee1156"):
        WideResNet101().load_checkpoint(tmp_path / "wide_resnet101_2-32ee1156.pth")


def test_wide_resnet_has_torchvisions_shapes():
    # 126,886,696 parameters in torchvision's wide_resnet101_2; less layer 4 and the classifier.
    layer4 = 0
    for n_in in (1024, 2048, 2048):
        layer4 += n_in * 1024 + 1024 * 1024 * 9 + 1024 * 2048 + 2 * (1024 + 1024 + 2048)
    layer4 += 1024 * 2048 + 2 * 2048
    classifier = 2048 * 1000 + 1000
    counted = sum(p.numel() for p in WideResNet101().parameters())
    assert counted == 126_886_696 - layer4 - classifier


def test_errors_name_what_is_missing(tmp_path):
    with pytest.raises(ParamsError, match=r"distill\.backbone"):
        build_backbone("resnet18")
    with pytest.raises(ParamsError, match=r"distill\.checkpoint"):
        build_backbone("wide_resnet101_2")
    with pytest.raises(ModelError, match="found no file"):
        build_backbone("wide_resnet101_2", tmp_path / "absent.pth")
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="expected wide_resnet101_2 weights"):
        build_backbone("wide_resnet101_2", tmp_path / "other.pth")
    torch.save(1, tmp_path / "number.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "other.pth").read_bytes()[:200])
    (tmp_path / "text.pth").write_text("weights")
    (tmp_path / "empty.pth").touch()
    for name in ("number.pth", "cut.pth", "text.pth", "empty.pth"):
        with pytest.raises(ModelError, match=f"expected wide_resnet101_2 weights in .*{name}"):
            build_backbone("wide_resnet101_2", tmp_path / name)


class Ramp(Backbone):
    """A backbone whose features say where their cell is centred, in pixels of the 512 px image."""

    def forward(self, image):
        fine = 7.5 + 8 * torch.arange(64.0)
        coarse = 0.5 + 16 * torch.arange(32.0)
        return [
            Level(fine.expand(1, 192, 64, 64), stride_px=8, origin_px=7.5, share=192),
            Level(coarse.expand(1, 192, 32, 32), stride_px=16, origin_px=0.5, share=192),
        ]


def test_targets_are_read_at_the_centres_of_the_teachers_patches():
    targets = compute_targets(Ramp(), PHOTOGRAPH)
    # Output i of the PDN sees pixels 4i .. 4i + 32 of the 256 px image: in 512 px, 8i .. 8i + 66.
    centres = torch.tensor([(8 * i + 8 * i + 66) / 2 for i in range(56)])
    # One coarse cell at the right edge has no right neighbour in its 3 x 3 mean; all else is exact.
    assert torch.allclose(targets[0, 0, 0, :55], centres[:55])
    assert torch.allclose(targets[0, 192, 0, :55], centres[:55])


@pytest.mark.parametrize(("level", "tolerance_px"), [(0, 1.5), (1, 3)])
def test_lite_cells_lie_where_the_backbone_says(level, tolerance_px):
    """Where a cell's gradient is centred on a photograph, against its claimed place."""
    backbone = build_backbone("efficientnet_lite0")
    image = PHOTOGRAPH.clone().requires_grad_()
    measured = backbone(image)[level]
    torch.manual_seed(0)
    offsets = []
    for cell in range(measured.features.shape[-1] // 4, measured.features.shape[-1] * 3 // 4, 4):
        weights = torch.randn(measured.features.shape[1])
        (gradient,) = torch.autograd.grad(
            (measured.features[0, :, cell, cell] * weights).sum(), image, retain_graph=True
        )
        mass = gradient.abs().sum(dim=(0, 1, 2)).double()
        centre = float((mass * (torch.arange(512) + 0.5)).sum() / mass.sum())
        offsets.append(centre - measured.stride_px * cell)
    assert sum(offsets) / len(offsets) == pytest.approx(measured.origin_px, abs=tolerance_px)


def test_wide_resnet_levels_have_512_and_1024_channels():
    with torch.inference_mode():
        levels = WideResNetBackbone(None).eval()(torch.rand(1, 3, 64, 64))
    assert [level.features.shape for level in levels] == [(1, 512, 8, 8), (1, 1024, 4, 4)]


def test_pool_channels_averages_neighbours():
    features = torch.arange(6.0).view(1, 6, 1, 1)
    assert pool_channels(features, 3).flatten().tolist() == [0.5, 2.5, 4.5]
    assert pool_channels(features, 6) is features


def test_reading_matrix_is_bilinear_interpolation():
    signal = torch.rand(1, 1, 9)
    ours = build_reading_matrix(torch.arange(17) / 2, 9) @ signal[0, 0]
    torch_says = F.interpolate(signal, 17, mode="linear", align_corners=True)[0, 0]
    assert torch.allclose(ours, torch_says, atol=1e-6)
