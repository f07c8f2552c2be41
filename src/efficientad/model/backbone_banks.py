"""Memory banks of a frozen ImageNet network's features, at up to three scales.

The network is EfficientNet-Lite0: depthwise, so that it costs a tenth of a patch description network on a CPU, and with
padding, so that the whole image is judged up to its border.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.efficientnet_lite import EfficientNetLite
from efficientad.model.memory_bank import MemoryBank
from efficientad.model.sizes import VIEW_PX, BankScale

_BRIGHTNESS = 0.45  # of the image that the network is shown: the mean of ImageNet's photographs
_DARKEST = 0.02  # so that noise of a black image is not taken for a motif
_WINDOW_PX = 24
_VIEW_PX = 512  # the longer side of an image that is smaller is enlarged to this
_STEP_PX = 64  # of the sides of what the network sees, so that every stride divides them
_CELL_PX = 16  # of the cells at which strides are put together
# Blocks whose outputs are compared: the last two at stride 8, the last at 80 and the last two at 112 channels at
# stride 16, and the last two at stride 32.
_STRIDE_8, _STRIDE_16, _STRIDE_32 = (3, 4), (7, 9, 10), (14, 15)
_BLOCKS: dict[BankScale, tuple[tuple[int, ...], ...]] = {
    "detail": (_STRIDE_8,),
    "fine": (_STRIDE_8, _STRIDE_16),
    "coarse": (_STRIDE_16, _STRIDE_32),
}
_LEAST = 0.02  # of a bank's high quantile: below it a distance is noise


class BackboneBanks(nn.Module):
    """A backbone that sees the image once, and memory banks of its features at up to three scales.

    detail: stride 8 alone, a cell every 8 px: where a defect ends.
    fine: strides 8 and 16, a cell every 16 px.
    coarse: strides 16 and 32, a cell every 16 px: what good parts have in common where their detail varies.

    `weights` are the banks' shares in the map; they add up to 1.
    """

    weights: Tensor

    def __init__(self, banks: Sequence[tuple[BankScale, int]] = ()) -> None:
        """Build random networks and empty banks; `banks` has scale and number of patches of each."""
        super().__init__()
        self.backbone = EfficientNetLite(0).requires_grad_(False)
        self.scales: list[BankScale] = [scale for scale, _ in banks]
        self.banks = nn.ModuleList(MemoryBank(self.count_channels(scale), patches) for scale, patches in banks)
        self.register_buffer("weights", torch.full((len(banks),), 1 / max(1, len(banks))))

    def set_banks(self, banks: Mapping[BankScale, MemoryBank], weights: Sequence[float]) -> None:
        """Take filled banks, and the share of each."""
        self.scales = list(banks)
        self.banks = nn.ModuleList(banks.values())
        self.weights = torch.tensor(weights, dtype=torch.float32, device=self.weights.device)

    def count_channels(self, scale: BankScale) -> int:
        """Return how many features a patch has."""
        return sum(self.backbone.channels[block] for level in _BLOCKS[scale] for block in level)

    def list_banks(self) -> list[MemoryBank]:
        """Return the banks in their order."""
        return [bank for bank in self.banks if isinstance(bank, MemoryBank)]

    def describe(self) -> list[tuple[BankScale, int]]:
        """Return scale and number of patches of each bank, as the constructor takes them."""
        return [(scale, len(bank.patches)) for scale, bank in zip(self.scales, self.list_banks(), strict=True)]

    def compute_features(self, image: Tensor, scales: Sequence[BankScale]) -> list[Tensor]:
        """Return the features (B, C, h, w) of the patches at each scale, of an RGB image (B, 3, H, W) in [0, 1]."""
        view = equalise_exposure(show(image))
        last = max((block for scale in scales for level in _BLOCKS[scale] for block in level), default=-1)
        outputs = self.backbone(view, count=last + 1)
        return [put_together(outputs, scale, (int(view.shape[-2]), int(view.shape[-1]))) for scale in scales]

    def compute_raw_maps(self, image: Tensor, excluded: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Return the map (B, 1, h, w) of each bank, of an RGB image (B, 3, H, W) in [0, 1].

        excluded: of each bank (B, patches), True where an image is not compared with a patch.
        """
        left_out: Sequence[Tensor | None] = excluded or [None] * len(self.banks)
        together = zip(self.banks, self.compute_features(image, self.scales), left_out, strict=True)
        return [bank(features, one) for bank, features, one in together]

    def combine(self, maps: Sequence[Tensor], high: Tensor) -> Tensor:
        """Return the weighted geometric mean (B, 1, h, w) of the banks' maps, on the cells of the finest.

        Each counts in units of its high quantile, `high` (banks,). A mean of logarithms, as a product keeps the edges
        of the detail where a sum would blur them with the coarse (docs/decisions/0031).
        """
        cells = max((int(one.shape[-2]), int(one.shape[-1])) for one in maps)
        logarithms = [
            F.interpolate(torch.log(one / high[index] + _LEAST), cells, mode="bilinear", align_corners=False)
            for index, one in enumerate(maps)
        ]
        return torch.exp((torch.cat(logarithms, dim=1) * self.weights.view(1, -1, 1, 1)).sum(dim=1, keepdim=True))


def put_together(outputs: Sequence[Tensor], scale: BankScale, view: tuple[int, int]) -> Tensor:
    """Return the features (B, C, h, w) of a scale, of the blocks' outputs for an image of the size `view` in px."""
    stride = 8 if scale == "detail" else _CELL_PX
    cells = (view[0] // stride, view[1] // stride)
    levels = [torch.cat([outputs[block] for block in blocks], dim=1) for blocks in _BLOCKS[scale]]
    return torch.cat([resize_level(average_neighbours(level), cells) for level in levels], dim=1)


def show(image: Tensor) -> Tensor:
    """Bring an image (B, 3, H, W) to the size at which the backbone sees it; see `choose_size`."""
    height, width = (int(side) for side in image.shape[-2:])  # plain numbers when traced, too
    size = choose_size(height, width)
    return image if size == (height, width) else F.interpolate(image, size, mode="bilinear", align_corners=False)


def choose_size(height: int, width: int) -> tuple[int, int]:
    """Return the sides nearest to the image's that 64 px divides, the longer one 512 px at least.

    >>> choose_size(512, 512), choose_size(256, 128), choose_size(600, 1000)
    ((512, 512), (512, 256), (576, 1024))
    """
    scale = max(1.0, _VIEW_PX / max(height, width))
    rows, columns = (max(1, round(scale * side / _STEP_PX)) for side in (height, width))
    return rows * _STEP_PX, columns * _STEP_PX


def choose_window(height: int, width: int) -> tuple[int, int]:
    """Return the sides in px of the window whose mean is a score: 24 px of what the backbone sees.

    A defect fills one; a single cell that is unlike those of good parts does not. Multiples of 4 above 256 px.

    >>> choose_window(512, 512), choose_window(256, 128), choose_window(600, 1000)
    ((24, 24), (12, 12), (24, 24))
    """
    rows, columns = (
        _WINDOW_PX * side / seen for side, seen in zip((height, width), choose_size(height, width), strict=True)
    )
    steps = (4 if side > VIEW_PX else 1 for side in (height, width))
    return tuple(max(1, round(side / step)) * step for side, step in zip((rows, columns), steps, strict=True))  # type: ignore[return-value]


def equalise_exposure(image: Tensor) -> Tensor:
    """Multiply each RGB image (B, 3, h, w) in [0, 1] by a number of its own, so that all have nearly one brightness.

    What a lamp or a shutter changes is gone, what differs within the image stays. Not clamped. The mean is taken axis
    by axis: over all pixels at once some runtimes lose three digits.
    """
    mean = image.mean(dim=3, keepdim=True).mean(dim=2, keepdim=True).mean(dim=1, keepdim=True)
    return image * (_BRIGHTNESS / (mean + _DARKEST))


def average_neighbours(features: Tensor) -> Tensor:
    """Average (B, C, h, w) over 3 x 3 neighbours, at the border over those that there are (PatchCore)."""
    return F.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)


def resize_level(features: Tensor, cells: tuple[int, int]) -> Tensor:
    """Bring a level to the cells: stride 8 by means of 2 x 2, stride 32 bilinearly."""
    factor = features.shape[-1] / cells[1]
    if factor > 1:
        return F.avg_pool2d(features, 2)
    return features if factor == 1 else F.interpolate(features, cells, mode="bilinear", align_corners=False)
