"""Measures the nearest patch on the same images, as PatchCore does: in features of ImageNet networks and of teachers.

    python benchmarks/baselines.py KEY CATEGORY OUTPUT [FEATURES ...]

reads data/prepared/CATEGORY of this workspace, as `efficientad probe` does; KEY is the data set's in OUTPUT, the
results.json to add to, below `baselines`. FEATURES are a backbone's name, or `S` or `M` for the shipped teacher; by
default EfficientNet-Lite0 and both teachers. `NAME/8` takes the backbone's stride 8 alone. `NAME@256` takes its
features of the image of 512 px reduced to 256 by means of 2 x 2. Each takes minutes, and 8 GB for some thousand images.
"""

import re
import sys
from pathlib import Path
from typing import get_args

import torch.nn.functional as F
from torch import Tensor

from efficientad.calibration.coreset import ComputeFeatures
from efficientad.calibration.probe import ProbeParams, build_backbone_features, build_teacher_features, probe_features
from efficientad.data.arrays.prepared import load_prepared
from efficientad.errors import ParamsError
from efficientad.model.sizes import PDNSize
from efficientad.pipeline.layout import locate_prepared
from efficientad.pipeline.stage import read_json, write_json
from efficientad.teacher.backbones import BACKBONE_IMAGE_PX, Backbone, Level, build_backbone
from efficientad.teacher.shipped import locate_shipped_teacher

FEATURES = ("efficientnet_lite0", "S", "M")


class Portion(Backbone):
    """A backbone's levels of one stride (None: of all) on the image reduced to `side_px`."""

    def __init__(self, backbone: Backbone, side_px: int, stride_px: int | None) -> None:
        super().__init__()
        self.backbone = backbone
        self.reduction, self.stride_px = BACKBONE_IMAGE_PX // side_px, stride_px

    def forward(self, image: Tensor) -> list[Level]:
        """Return the levels, placed in the image of 512 px."""
        return [
            Level(level.features, level.stride_px * self.reduction, level.origin_px * self.reduction, level.share)
            for level in self.backbone(F.avg_pool2d(image, self.reduction))
            if self.stride_px in (None, level.stride_px)
        ]


def choose_features(name: str) -> ComputeFeatures:
    """Return the features of a backbone or of a portion of it, or of the shipped teacher of a size.

    Raises ParamsError for another name, for a stride the backbone does not yield and for another side than 256 or 512.
    """
    for size in get_args(PDNSize):
        if name == size:
            return build_teacher_features(locate_shipped_teacher(size), size)
    parts = re.fullmatch(r"(\w+)(?:@(256|512))?(?:/(8|16))?", name)
    if parts is None:
        raise ParamsError(f"expected S, M or BACKBONE[@256][/8 or /16], got {name}")
    backbone, side, stride = parts.groups()
    portion = Portion(build_backbone(backbone), int(side or BACKBONE_IMAGE_PX), int(stride) if stride else None)
    return build_backbone_features(portion)


def main() -> None:
    """Measure the features one after the other on one category; keep each result at once."""
    key, category, output = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    prepared, params = load_prepared(locate_prepared(category)), ProbeParams()
    for name in sys.argv[4:] or FEATURES:
        metrics = probe_features(choose_features(name), prepared, params)
        results = read_json(output) if output.is_file() else {}
        results.setdefault("baselines", {}).setdefault(key, {})[name] = {**metrics, **vars(params)}
        write_json(output, results)


if __name__ == "__main__":
    main()
