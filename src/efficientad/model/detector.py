"""The detector: image -> (anomaly map, score). This module is the graph that is exported.

Everything that a score depends on is a buffer in here: the channel statistics, the memory banks, the map quantiles and
the region of interest. The threshold is beside it, in the header. Importing it loads neither lightning, cv2 nor
openvino.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.model.backbone_banks import BackboneBanks, choose_window
from efficientad.model.branch import Branch, Quantiles
from efficientad.model.efficientnet_lite import EfficientNetLite
from efficientad.model.maps import BORDER_CELLS, QUANTILE_SCALE, apply_quantiles, compute_score, enlarge_map
from efficientad.model.memory_bank import MemoryBank
from efficientad.model.sizes import BankScale, Size
from efficientad.model.student_teacher import StudentTeacher

_BANK = "memory_bank_"  # before the scale: the name of a memory bank's branch


class Detection(NamedTuple):
    """What the detector says: a map in the image's pixels, and a score; higher = more anomalous."""

    anomaly_map: Tensor  # (B, 1, H, W)
    anomaly_score: Tensor  # (B,), the map's largest value; of size L its largest mean over a window


class Detector(nn.Module):
    """Branches that each give a map of an image, with everything that turns the maps into a score.

    Sizes S and M have a student and an autoencoder, and memory banks where they are asked for. Size L has a backbone
    and memory banks alone. A fresh detector has random networks and quantiles 0 and 1; `fit` fills them.
    """

    quantiles: Tensor
    region: Tensor

    def __init__(
        self,
        size: Size,
        shared_convolutions: int = 0,
        region_size: tuple[int, int] | None = None,
        banks: Sequence[tuple[BankScale, int]] = (),
    ) -> None:
        """Build the networks.

        shared_convolutions: how many of the student's first convolutions are the teacher's; no matter to L.
        region_size: height and width in px where a region of interest is to be loaded; None judges everything.
        banks: scale and number of patches of each memory bank that is to be loaded.
        """
        super().__init__()
        self.size = size
        self.student_teacher = None if size == "L" else StudentTeacher(size, shared_convolutions)
        self.backbone_banks = BackboneBanks(banks) if size == "L" or banks else None
        self.register_buffer("quantiles", torch.tensor([[0.0, 1.0]]).repeat(len(self._list_names()), 1))
        self.register_buffer("region", torch.ones(region_size or (), dtype=torch.bool))  # judged where True

    def compute_raw_maps(self, image: Tensor, excluded: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Return the raw distance map (B, 1, h, w) of each of `list_branches`, of an RGB image (B, 3, H, W) in [0, 1].

        Each branch has cells of its own; see `StudentTeacher` and `BackboneBanks`.

        excluded: of each memory bank (B, patches), True where an image is not compared with a patch.
        """
        maps = [] if self.student_teacher is None else [*self.student_teacher.compute_raw_maps(image)]
        return maps if self.backbone_banks is None else [*maps, *self.backbone_banks.compute_raw_maps(image, excluded)]

    def list_branches(self) -> list[Branch]:
        """Return the branches in the order of all maps: student, autoencoder, then each memory bank."""
        pairs = zip(self._list_names(), self.quantiles.tolist(), strict=True)
        return [Branch(name, Quantiles(*pair)) for name, pair in pairs]

    def _list_names(self) -> list[str]:
        names = [] if self.student_teacher is None else ["student", "autoencoder"]
        scales = [] if self.backbone_banks is None else self.backbone_banks.scales
        return [*names, *(f"{_BANK}{scale}" for scale in scales)]

    def list_borders(self) -> list[int]:
        """Return how many cells the map of each of `list_branches` lacks at each side of the image.

        A patch description network has no padding; a backbone has, so that the map of a memory bank lacks none.
        """
        return [0 if name.startswith(_BANK) else BORDER_CELLS for name in self._list_names()]

    def describe_banks(self) -> list[tuple[BankScale, int]]:
        """Return scale and number of patches of each memory bank, as the constructor takes them."""
        return [] if self.backbone_banks is None else self.backbone_banks.describe()

    def forward(self, image: Tensor) -> Detection:
        """Find anomalies in an RGB image (B, 3, H, W) in [0, 1]; see `Detection`."""
        size = (int(image.shape[-2]), int(image.shape[-1]))  # plain numbers when traced, too
        anomaly_map = self.combine(self.compute_raw_maps(image), size)
        if self.region.ndim:
            anomaly_map = anomaly_map * self.region
        window = (1, 1) if self.student_teacher is not None else choose_window(*size)
        return Detection(anomaly_map, compute_score(anomaly_map, window))

    def combine(self, raw: Sequence[Tensor], image_size: tuple[int, int]) -> Tensor:
        """Return the map (B, 1, H, W) of the maps of `compute_raw_maps`, on the image's pixels.

        The paper's mean of student and autoencoder, normalised; the banks' together are one more in it.
        """
        maps, low, high = list(raw), self.quantiles[:, 0], self.quantiles[:, 1]
        spread = []
        if self.student_teacher is not None:
            student, autoencoder = (apply_quantiles(maps.pop(0), low[i], high[i]) for i in range(2))
            spread.append(self.student_teacher.add_on_pixels(student, autoencoder, image_size) / 2)
        if self.backbone_banks is not None:
            cells = QUANTILE_SCALE * self.backbone_banks.combine(maps, high[len(raw) - len(maps) :])
            spread.append(enlarge_map(cells, image_size))
        return spread[0] if len(spread) == 1 else (2 * spread[0] + spread[1]) / 3

    def set_region(self, region: NDArray[np.bool_] | None) -> None:
        """Judge the pixels of a region (H, W) alone, which has the size of the images; None judges everything."""
        self.region = torch.ones((), dtype=torch.bool) if region is None else torch.from_numpy(region)

    def add_backbone(self, backbone: EfficientNetLite) -> None:
        """Take a backbone, for memory banks to be added."""
        self.backbone_banks = BackboneBanks()
        self.backbone_banks.backbone.load_state_dict(backbone.state_dict())

    def set_banks(self, banks: Mapping[BankScale, MemoryBank], weights: Sequence[float]) -> None:
        """Take filled banks and their shares; all quantiles are then to be set anew. ValueError without a backbone."""
        if self.backbone_banks is None:
            raise ValueError("expected a detector with a backbone, got one without; add it first")
        self.backbone_banks.set_banks(banks, weights)
        self.quantiles = torch.tensor([[0.0, 1.0]]).repeat(len(self._list_names()), 1).to(self.quantiles.device)

    def set_weights(self, weights: Sequence[float]) -> None:
        """Set the share of each memory bank, which together are 1; one without a share is dropped.

        ValueError where there are more or fewer shares than banks, or all are 0.
        """
        together = self.backbone_banks
        banks = [] if together is None else together.list_banks()
        if together is None or len(weights) != len(banks):
            raise ValueError(f"expected the shares of {len(banks)} memory banks, got {len(weights)}")
        kept = [place for place, weight in enumerate(weights) if weight > 0]
        if not kept:
            raise ValueError(f"expected a memory bank with a share, got {list(weights)}")
        together.set_banks({together.scales[place]: banks[place] for place in kept}, [weights[place] for place in kept])
        before = len(self.quantiles) - len(banks)
        self.quantiles = self.quantiles[[*range(before), *(before + place for place in kept)]]

    def set_quantiles(self, quantiles: Sequence[Quantiles]) -> None:
        """Set those of each of `list_branches`, in its order; ValueError where there are more or fewer."""
        if len(quantiles) != len(self.quantiles):
            raise ValueError(f"expected quantiles of {len(self.quantiles)} branches, got {len(quantiles)}")
        self.quantiles.copy_(torch.tensor([[one.low, one.high] for one in quantiles]))
