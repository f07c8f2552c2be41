"""Each kernel against autograd's own gradient of the same formula."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from efficientad.model.pdn import build_pdn
from efficientad.training.engine.kernels import compute_head_hard_loss, rectify_and_pool, run_layers
from efficientad.training.engine.losses import compute_hard_feature_loss


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (2, 3, 7, 9), (1, 8, 5, 6)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rectify_and_pool_is_relu_then_average_pooling(shape, layout, dtype):
    torch.manual_seed(0)
    ours, theirs = (torch.randn(shape).to(dtype, memory_format=layout).requires_grad_() for _ in range(2))
    theirs.data.copy_(ours.data)
    pooled, expected = rectify_and_pool(ours * 1), F.avg_pool2d(F.relu(theirs), 2)
    assert torch.equal(pooled, expected)
    upstream = torch.randn_like(expected)
    pooled.backward(upstream)
    expected.backward(upstream)
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("size", ["S", "M"])
def test_run_layers_is_the_network(size):
    torch.manual_seed(0)
    network, image = build_pdn(size, 384), torch.rand(1, 3, 64, 64)
    expected, gradients = network(image), []
    for features in (expected, run_layers(network, image)):
        network.zero_grad()
        features.square().mean().backward()
        gradients.append([p.grad.clone() for p in network.parameters()])
    assert torch.equal(run_layers(network, image), expected)
    for ours, autograds in zip(*gradients, strict=True):
        assert torch.equal(ours, autograds)


@pytest.mark.parametrize("quantile", [0.0, 0.9, 0.999])
@pytest.mark.parametrize("batch", [1, 3])
def test_hard_loss_of_a_head_has_autograds_value_and_gradients(quantile, batch):
    generator = torch.Generator().manual_seed(batch)
    leaves = [torch.randn(s, generator=generator, dtype=torch.float64)
              for s in ((batch, 5, 9, 8), (6, 5, 4, 4), (6,))]  # fmt: skip
    teacher = torch.randn(batch, 6, 6, 5, generator=generator)
    results = []
    for formula in (
        lambda h, w, b: compute_head_hard_loss(h, w, b, teacher, quantile),
        lambda h, w, b: compute_hard_feature_loss(teacher, F.conv2d(h, w, b).float(), quantile),
    ):
        fresh = [leaf.float().requires_grad_() for leaf in leaves]
        loss = formula(*fresh)
        (3 * loss).backward()
        results.append([loss, *(leaf.grad for leaf in fresh)])
    for ours, autograds in zip(*results, strict=True):
        torch.testing.assert_close(ours, autograds, rtol=1e-5, atol=1e-6)


def test_hard_loss_of_a_head_rounds_as_autograd_does_in_bfloat16():
    torch.manual_seed(0)
    start = torch.randn(2, 8, 15, 15), 0.1 * torch.randn(16, 8, 4, 4), torch.randn(16)
    teacher = torch.randn(2, 16, 12, 12)
    ours, theirs = ([leaf.clone().requires_grad_() for leaf in start] for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        loss = compute_head_hard_loss(*ours, teacher, 0.99)
        expected = compute_hard_feature_loss(teacher, F.conv2d(*theirs).float(), 0.99)
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for leaf, plain in zip(ours, theirs, strict=True):
        assert leaf.grad.dtype == torch.float32
        assert float((leaf.grad - plain.grad).norm() / plain.grad.norm()) < 0.02


def test_products_of_the_hard_losss_backward_pass_come_in_few_sizes():
    """Of each size oneDNN keeps a compiled product: a size for every count of hard places would fill the memory."""
    torch.manual_seed(0)
    hidden, weight, bias = torch.randn(1, 8, 23, 23), torch.randn(6, 8, 4, 4), torch.randn(6)
    sizes = set()
    for quantile in np.linspace(0, 0.99, 12):
        hidden = hidden.detach().requires_grad_()
        loss = compute_head_hard_loss(hidden, weight.requires_grad_(), bias, torch.randn(1, 6, 20, 20), float(quantile))
        with torch.profiler.profile(record_shapes=True) as profile:
            loss.backward()
        sizes |= {str(event.input_shapes) for event in profile.events() if event.name == "aten::mm"}
    assert 0 < len(sizes) <= 4  # two products, for up to 256 and up to 512 places
