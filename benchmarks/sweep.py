"""Draws what experiments with other values of one param gave: a PNG, from `dvc exp show`.

python benchmarks/sweep.py fit.bank_patches.fine image_auroc sweep.png
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from efficientad.errors import EfficientADError
from efficientad.reporting.sweep import collect_points, draw_sweep


def main() -> None:
    """Print the points and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("param", help="such as fit.bank_patches.fine")
    parser.add_argument("metric", help="of metrics/summary.json, such as image_auroc")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json"]
    table = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    try:
        points = collect_points(table, options.param, options.metric)
    except EfficientADError as error:
        sys.exit(str(error))
    for value, result in points:
        print(f"{options.param} {value:g}: {options.metric} {result:.4f}")
    draw_sweep(points, options.param, options.metric, options.picture)


if __name__ == "__main__":
    main()
