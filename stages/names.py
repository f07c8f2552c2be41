"""Stage names: the sizes, categories and seeds of params.yaml name folders below their own, and nothing else.

DVC removes what a stage wrote before it runs the stage: of a category `../x` that would be another folder with all that
is in it. The other stages wait for this one, whose output never changes.
"""

from pathlib import Path

from efficientad.pipeline.params_file import check_for_dvc
from efficientad.pipeline.stage import run_stage
from efficientad.pipeline.writing import write_text

CHECKED = Path("data/names.txt")


def main() -> None:
    """Check params.yaml, and say that it was checked."""
    check_for_dvc()
    CHECKED.parent.mkdir(exist_ok=True)
    write_text(CHECKED, "The sizes, categories and seeds of params.yaml may name folders.\n")


if __name__ == "__main__":
    run_stage(main)
