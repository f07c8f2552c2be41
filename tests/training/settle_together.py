"""Settle `auto` in each of several processes, whose own folders hold different answers: settle_together.py FOLDER."""

import sys
from pathlib import Path

from efficientad.training.engine.precision import settle_precision
from efficientad.training.engine.workers import join_workers


def main() -> None:
    folder = Path(sys.argv[1])
    with join_workers() as workers:
        settled = settle_precision("auto", folder / f"cache{workers.rank}")
        (folder / f"settled{workers.rank}").write_text(settled, "utf-8")


if __name__ == "__main__":
    main()
