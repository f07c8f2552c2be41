"""Float32 is whole wherever the program computes: a GPU's convolutions are not rounded to TF32.

The flags are read when a convolution runs, so the tests need no GPU.
"""

import re

import lightning as L
import numpy as np
import pytest
import torch
from import_closure import ROOT
from tiny_models import build_tiny
from torch import nn

from efficientad.calibration.coreset import fit_memory_banks
from efficientad.deploy.engines.torch import TorchEngine
from efficientad.model.inference import compute_detections, compute_raw_maps, compute_scores
from efficientad.training.engine.loop import run_training

PACKAGE = ROOT / "src/efficientad"
ROWS = np.arange(3)


class OneConvolution(torch.utils.data.Dataset):
    """A training whose every batch is one image."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.ones(1, 3, 8, 8)


def build_training():
    class Module(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 1, 3)

        def training_step(self, batch, batch_idx):
            return {"loss": self.layer(batch).square().mean()}

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.01)

    return Module()


# What each stage computes with, from an image to features, maps or scores.
COMPUTATIONS = {
    "compute_scores": lambda images, models, folder: compute_scores(build_tiny("S"), images),
    "compute_raw_maps": lambda images, models, folder: compute_raw_maps(build_tiny("S"), images, ROWS),
    "compute_detections": lambda images, models, folder: compute_detections(
        build_tiny("S"), images, ROWS, folder / "maps.npy"
    ),
    "fit_memory_banks": lambda images, models, folder: fit_memory_banks(
        build_tiny("L"), images, ROWS, {"coarse": 4}, 0
    ),
    "TorchEngine": lambda images, models, folder: TorchEngine(models / "detector.safetensors").run(images),
    "run_training": lambda images, models, folder: run_training(
        build_training(), lambda first, count, share: OneConvolution(), 1, 1, "fp32", folder
    ),
}


@pytest.fixture
def flags():
    """The values of both flags whenever a convolution ran; before that TF32 is on."""
    seen: set[tuple[bool, bool]] = set()

    def note(module, *_):
        if isinstance(module, nn.Conv2d):
            seen.add((torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32))

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    hook = nn.modules.module.register_module_forward_pre_hook(note)
    yield seen
    hook.remove()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_convolutions_and_products_are_of_whole_float32(name, flags, images, models, tmp_path):
    COMPUTATIONS[name](images, models, tmp_path)
    assert flags == {(False, False)}


def test_no_other_file_moves_work_to_a_gpu():
    """Everything else asks `choose_device`, but for Lightning's trainer, which `run_training` starts."""
    users = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"torch\.device\(|\.cuda\(|accelerator=|set_device\(|\"cuda", file.read_text("utf-8"))
    }
    assert users == {"model/device.py", "training/engine/loop.py", "training/engine/workers.py"}
