"""The untrained detector that the fixture `models` exports: its header, and what fills memory banks."""

import torch

from efficientad.model.branch import Branch, Quantiles
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.teacher.lite_weights import load_efficientnet_lite

SIDE = 64
BANKS = [("coarse", 20)]
HEADER = ModelHeader(
    size="S",
    image_size=(SIDE, SIDE),
    category="washer",
    threshold=0.31,
    false_alarm_rate=0.05,
    display_scale=0.4,
    training_data="0123abcd",
    version="0.1.0",
    code_hash="4567ef",
    threshold_policy="rate",
    branches=(
        Branch("student", Quantiles(0.5, 2.25)),
        Branch("autoencoder", Quantiles(0.25, 1.5)),
        Branch("memory_bank_coarse", Quantiles(0.5, 1.5)),
    ),
)


def fill_banks(detector: Detector) -> None:
    """Give the backbone its weights, and the memory banks a random projection and random patches.

    Distances are then about 2, on noise.
    """
    detector.backbone_banks.backbone.load_state_dict(load_efficientnet_lite(0).state_dict())
    for bank in detector.backbone_banks.banks:
        channels = bank.projection.shape[1]
        bank.projection.normal_(std=0.25 / channels**0.5)
        bank.patches.normal_()


def build_tiny(size: str, banks: list[tuple[str, int]] = (), **options) -> Detector:
    """Return a random detector with filled memory banks, quantiles 0.5 and 1.5, in evaluation mode."""
    torch.manual_seed(0)
    detector = Detector(size, banks=banks, **options).eval()
    if detector.backbone_banks is not None:
        fill_banks(detector)
    if branches := detector.list_branches():
        detector.set_quantiles([Quantiles(0.5, 1.5)] * len(branches))
    return detector
