"""What the nearest patch says of the same images: of an ImageNet network, in the manner of PatchCore, and of teachers.

    python benchmarks/baselines.py KEY CATEGORY OUTPUT [FEATURES ...]

reads data/prepared/CATEGORY of this workspace, as `efficientad probe` does; KEY is the data set's in OUTPUT, the
results.json to add to, below `baselines`. FEATURES are the backbone's name, or `S` or `M` for the shipped teacher; all
by default. Minutes each, and 8 GB for some thousand images.
"""

import sys
from pathlib import Path

from efficientad.data.prepared import load_prepared
from efficientad.layout import locate_prepared, locate_shipped_teacher
from efficientad.memories import Describe
from efficientad.probe import ProbeParams, describe_by_backbone, describe_by_teacher, probe_features
from efficientad.stage import read_json, write_json

FEATURES = ("efficientnet_lite0", "S", "M")


def choose_features(name: str) -> Describe:
    """Return the features of a backbone, or of the shipped teacher of a size."""
    match name:
        case "S" | "M":
            return describe_by_teacher(locate_shipped_teacher(name), name)
        case _:
            return describe_by_backbone(name)


def main() -> None:
    """Measure each on one category and keep it as soon as it is there."""
    key, category, output = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    prepared, params = load_prepared(locate_prepared(category)), ProbeParams()
    for name in sys.argv[4:] or FEATURES:
        found = probe_features(choose_features(name), prepared, params)
        results = read_json(output) if output.is_file() else {}
        results.setdefault("baselines", {}).setdefault(key, {})[name] = {**found, **vars(params)}
        write_json(output, results)


if __name__ == "__main__":
    main()
