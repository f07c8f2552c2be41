"""What the nearest patch of an ImageNet network says of the same images: a baseline in the manner of PatchCore.

    python benchmarks/baselines.py KEY CATEGORY OUTPUT

reads data/prepared/CATEGORY of this workspace, as `efficientad probe` does; KEY is the data set's in OUTPUT, the
results.json to add to, below `baselines`. Minutes and 8 GB for some thousand images.
"""

import sys
from pathlib import Path

from efficientad.data.prepared import load_prepared
from efficientad.layout import locate_prepared
from efficientad.probe import ProbeParams, describe_by_backbone, probe_features
from efficientad.stage import read_json, write_json

BACKBONE = "efficientnet_lite0"


def main() -> None:
    """Measure the backbone on one category and keep it."""
    key, category, output = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    params = ProbeParams()
    found = probe_features(describe_by_backbone(BACKBONE), load_prepared(locate_prepared(category)), params)
    results = read_json(output) if output.is_file() else {}
    results.setdefault("baselines", {})[key] = {**found, "backbone": BACKBONE, **vars(params)}
    write_json(output, results)


if __name__ == "__main__":
    main()
