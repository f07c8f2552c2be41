"""Draws docs/example.png for the README from the finished default run.

    python benchmarks/draw_example.py

One column per kind of defect, good parts first: the test image with the median score, neither the best nor the worst.
Rows: image with the annotated defect, heat map, what `mark_defects` marks.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.images.drawing import outline
from efficientad.data.images.encoding import write_png
from efficientad.data.images.marking import mark_defects
from efficientad.data.images.resizing import resize_image
from efficientad.deploy.heat_map import fit_heat_scale, overlay_heat_map
from efficientad.evaluation.test_split import build_test_split
from efficientad.model.inference import compute_detections
from efficientad.model.saved_detector import load_detector
from efficientad.pipeline.layout import Item, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.reporting.contact_sheet import ANNOTATED, MARKED

GAP_PX = 4
PANEL_PX = 256


def main() -> None:
    """Detect on the test split, choose, draw."""
    params = load_params()
    item = Item(params.sizes[0], params.categories[0], params.seeds[0])
    prepared = load_prepared(locate_prepared(item.category))
    detector, header = load_detector(item.detector)
    columns = []
    with TemporaryDirectory() as folder:
        maps, scores = compute_detections(
            detector, prepared.images, prepared.indices("test"), Path(folder) / "maps.npy"
        )
        split = build_test_split(prepared, maps, scores)
        scale = fit_heat_scale(header["threshold"], np.stack([*split.maps]))
        for defect in sorted(set(split.defects), key=lambda kind: (kind != "good", kind)):
            rows = [index for index, kind in enumerate(split.defects) if kind == defect]
            row = sorted(rows, key=lambda index: float(split.scores[index]))[len(rows) // 2]
            image, anomaly_map = split.images[row], np.asarray(split.maps[row])
            panels = [
                outline(image, split.masks[row], colour=ANNOTATED, thickness=4),
                overlay_heat_map(image, anomaly_map, scale),
                outline(image, mark_defects(anomaly_map, header["threshold"]), colour=MARKED, thickness=4),
            ]
            small = [resize_image(panel, (PANEL_PX, PANEL_PX)) for panel in panels]
            columns.append(np.concatenate([np.pad(panel, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255)
                                           for panel in small]))  # fmt: skip
    write_png(Path("docs/example.png"), np.concatenate(columns, axis=1))


if __name__ == "__main__":
    main()
