"""The scores that a threshold is chosen from, as a table on disk: a threshold of another kind needs no image again."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import DataError
from efficientad.pipeline.writing import write_text

SCORES = "scores.csv"  # the table of a model, beside it
_COLUMNS = ("part", "kind", "score")
_NUISANCE = ("brightness", "shift")
_MOST = 30  # of each nuisance and of the defects; more would cost time and move a threshold little


@dataclass(frozen=True)
class ScoreTable:
    """The scores of a detector on the images of a trial, each a row.

    parts: (N,), what an image shows. Images of one part are alike, and only different parts are independent.
    kinds: (N,), "good", "brightness" and "shift" of held-out normal images, and "defect" (see `data.defects.trial`).
    """

    parts: NDArray[np.str_]
    kinds: NDArray[np.str_]
    scores: NDArray[np.float32]

    def select(self, *kinds: str) -> NDArray[np.float32]:
        """Return the scores of these kinds."""
        return self.scores[np.isin(self.kinds, kinds)]

    @property
    def good(self) -> NDArray[np.float32]:
        """The scores of normal images as they are."""
        return self.select("good")

    @property
    def good_parts(self) -> NDArray[np.str_]:
        """The part that each of `good` shows."""
        parts: NDArray[np.str_] = self.parts[self.kinds == "good"]
        return parts

    @property
    def nuisance(self) -> NDArray[np.float32]:
        """The scores of normal images under nuisance."""
        return self.select(*_NUISANCE)

    @property
    def defects(self) -> NDArray[np.float32]:
        """The scores of normal images with synthetic defects."""
        return self.select("defect")


def choose_rows(kinds: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return the rows of a trial of these kinds (N,) that set a threshold: all good ones, 30 of each other kind."""
    places = [np.flatnonzero(kinds == kind) for kind in ("good", *_NUISANCE, "defect")]
    return np.concatenate([places[0], *(rows[:_MOST] for rows in places[1:])])


def write_scores(table: ScoreTable, path: Path) -> None:
    """Write a table as CSV; float32 in as few digits as give the same number back."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(zip(table.parts, table.kinds, map(str, table.scores), strict=True))
    write_text(path, lines.getvalue())


def read_scores(path: Path) -> ScoreTable:
    """Read what `write_scores` wrote; DataError where it is missing or another table."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        parts, kinds, scores = zip(*rows, strict=True)
        if tuple(header) != _COLUMNS:
            raise ValueError(f"the columns {', '.join(header)}")
        return ScoreTable(np.array(parts), np.array(kinds), np.array(scores, np.float32))
    except (OSError, ValueError) as error:
        raise DataError(
            f"expected a table of {', '.join(_COLUMNS)} at {path}, got {error}; run the stage `fit` again"
        ) from error
