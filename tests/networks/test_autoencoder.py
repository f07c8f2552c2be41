import pytest
import torch

from efficientad.networks.autoencoder import Autoencoder


def test_reconstructs_teacher_features_of_any_map_size():
    autoencoder = Autoencoder().eval()
    assert autoencoder(torch.rand(2, 3, 256, 256), (56, 56)).shape == (2, 384, 56, 56)
    assert autoencoder(torch.rand(1, 3, 384, 320), (88, 72)).shape == (1, 384, 88, 72)


def test_parameter_count_is_that_of_table_8():
    encoder = 32 * 49 + 32 * 513 + 64 * 513 + 2 * 64 * 1025 + 64 * (64 * 64 + 1)
    decoder = 6 * 64 * (64 * 16 + 1) + 64 * (64 * 9 + 1) + 384 * (64 * 9 + 1)
    assert sum(p.numel() for p in Autoencoder().parameters()) == encoder + decoder


@pytest.mark.parametrize("side", [128, 256, 512])
def test_bottleneck_is_one_cell_at_every_image_size(side):
    autoencoder, seen = Autoencoder().eval(), []
    autoencoder.encoder.register_forward_hook(lambda *args: seen.append(args[2].shape))
    autoencoder(torch.rand(1, 3, side, side), (56, 56))
    assert seen == [(1, 64, 1, 1)]


def test_dropout_acts_in_training_alone():
    autoencoder, image = Autoencoder(), torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        assert not torch.equal(autoencoder(image, (56, 56)), autoencoder(image, (56, 56)))
        autoencoder.eval()
        assert torch.equal(autoencoder(image, (56, 56)), autoencoder(image, (56, 56)))
