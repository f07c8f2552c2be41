"""The network against that of the package that its weights come with."""

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet

from efficientad.model.efficientnet_lite import EfficientNetLite, PaddedConv
from efficientad.teacher.lite_weights import find_lite_weights, load_efficientnet_lite


def load_package(variant, side):
    network = EfficientNet.from_name(f"efficientnet-lite{variant}", image_size=side)
    network.load_state_dict(torch.load(find_lite_weights(variant), weights_only=True))
    return network.eval()


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_every_blocks_output_is_the_packages(variant):
    image = torch.rand(2, 3, 128, 192, generator=torch.Generator().manual_seed(0))
    package = load_package(variant, (128, 192))
    with torch.inference_mode():
        found = load_efficientnet_lite(variant)(image)
        hidden = package._swish(package._bn0(package._conv_stem((image * 255 - 127) / 128)))
        assert len(found) == len(package._blocks)
        for ours, block in zip(found, package._blocks, strict=True):
            hidden = block(hidden)
            assert ours.shape == hidden.shape
            assert float((ours - hidden).norm() / hidden.norm()) < 1e-5


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_channels_are_those_of_the_blocks_outputs(variant):
    network = EfficientNetLite(variant)
    with torch.inference_mode():
        outputs = network(torch.rand(1, 3, 64, 64))
        first = network(torch.rand(1, 3, 64, 64), count=4)
    assert [one.shape[1] for one in outputs] == network.channels
    assert len(first) == 4


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_is_tensorflows(kernel, stride):
    """As many outputs as strides fit; where the padding is odd, the further pixel lies behind."""
    torch.manual_seed(0)
    conv, image = PaddedConv(1, 1, kernel, stride), torch.randn(1, 1, 12, 16)
    before = (kernel - stride) // 2
    padded = np.pad(image[0, 0].numpy(), (before, kernel - stride - before))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))[::stride, ::stride]
    with torch.inference_mode():
        found = conv(image)[0, 0].numpy()
    assert found.shape == (12 // stride, 16 // stride)
    expected = (windows * conv.weight[0, 0].detach().numpy()).sum(axis=(2, 3)) + conv.bias.item()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weights_that_are_missing_or_of_another_variant_are_refused():
    state = torch.load(find_lite_weights(0), weights_only=True)
    with pytest.raises((KeyError, RuntimeError)):
        EfficientNetLite(2).load_published(state)
    with pytest.raises(KeyError, match="_conv_stem"):
        EfficientNetLite(0).load_published({name: value for name, value in state.items() if "stem" not in name})


def test_loaded_networks_are_frozen():
    assert not any(parameter.requires_grad for parameter in load_efficientnet_lite(0).parameters())
