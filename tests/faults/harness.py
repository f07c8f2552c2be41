"""Tries every fault point, or some, and writes what came of each into a JSON file.

An earlier file is gone on with: the points that it has and that ended well are not tried again.
"""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from fault_points import SEED, list_points
from fault_project import FaultProject
from reliability import LEAST, find_missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", metavar="WORDS", help="points of whose stage and fault these are a part")
    parser.add_argument("--project", type=Path, help="keep the small project here, or take the one that is there")
    options = parser.parse_args()
    known = json.loads(options.file.read_text("utf-8"))["points"] if options.file.is_file() else []
    known = [entry for entry in known if not find_missed([entry] * LEAST)]
    done = {(entry["stage"], entry["fault"]) for entry in known}
    places = {(point.stage, point.where): place for place, point in enumerate(list_points())}
    chosen = [point for point in list_points() if options.only in f"{point.stage} {point.where}"]
    points = [point for point in chosen if (point.stage, point.where) not in done]
    started = time.monotonic()
    with ExitStack() as stack:
        root = options.project
        if root is None:
            root = Path(stack.enter_context(TemporaryDirectory())) / "project"
        project = FaultProject(root)
        print(f"the undisturbed run took {time.monotonic() - started:.0f} s", flush=True)
        for number, point in enumerate(points, start=1):
            outcome = project.try_point(point)
            known.append(outcome.describe())
            known.sort(key=lambda entry: places[entry["stage"], entry["fault"]])
            options.file.parent.mkdir(parents=True, exist_ok=True)
            options.file.write_text(json.dumps({"seed": SEED, "points": known}, indent=1) + "\n", "utf-8")
            print(f"{number}/{len(points)} {time.monotonic() - started:.0f} s {outcome}", flush=True)
    sys.exit(any(not entry["recovered"] for entry in known))


if __name__ == "__main__":
    main()
