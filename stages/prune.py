"""Lists, and with --delete removes, what is left of categories, sizes and seeds that params.yaml dropped."""

import argparse
import shutil
import sys

from efficientad.pipeline.dvc_command import LOCK, list_stages
from efficientad.pipeline.leftovers import drop_stages, find_leftovers, remove_empty_folders
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.printable import make_printable
from efficientad.pipeline.stage import run_stage
from efficientad.pipeline.writing import write_text


def main() -> None:
    """Exit with code 1 when something is left, unless it was deleted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delete", action="store_true")
    delete = parser.parse_args().delete
    params = load_params()
    leftovers = find_leftovers(params.sizes, params.categories, params.seeds)
    for path in leftovers:
        print(make_printable(f"{'deleted' if delete else 'left over:'} {path.as_posix()}"))
        if delete:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            remove_empty_folders(path)
    if delete and LOCK.is_file():
        write_text(LOCK, drop_stages(LOCK.read_text("utf-8"), list_stages()))
    if leftovers and not delete:
        sys.exit("these do not count in metrics/summary.json; remove them with `make prune`")


if __name__ == "__main__":
    run_stage(main)
