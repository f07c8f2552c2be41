"""Of two processes that share a scratch folder the second reads it a second after the first is done.

read_late.py FOLDER
"""

import sys
import time
from pathlib import Path

from efficientad.pipeline.scratch import open_scratch
from efficientad.training.engine.workers import first_alone, join_workers


def main() -> None:
    with join_workers() as workers, open_scratch("test", {}, [], workers.finish_together) as scratch:
        with first_alone():
            if workers.is_first:
                (scratch / "kept").write_text("features", "utf-8")
        if not workers.is_first:
            time.sleep(1)
            (Path(sys.argv[1]) / "read").write_text((scratch / "kept").read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    main()
