"""What a graph must have for its header to be true of it."""

from collections.abc import Collection, Sequence
from pathlib import Path

from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader


def check_graph(shape: Sequence[int | str | None], outputs: Collection[str], header: ModelHeader, path: Path) -> None:
    """Raise ModelError where a graph takes pixels of another size than its header says, or has no map or no score.

    shape: of the input; a side that is free is None or a name.
    """
    expected = (*header.image_size, 3)
    if len(shape) != 4 or any(
        isinstance(side, int) and side != px for side, px in zip(shape[1:], expected, strict=True)
    ):
        height, width = header.image_size
        raise ModelError(
            f"expected pixels of image_size {height} {width} in {path}, got {list(shape)}; export it again "
            "(`dvc repro export`)"
        )
    missing = [name for name in (ANOMALY_MAP, ANOMALY_SCORE) if name not in outputs]
    if missing:
        raise ModelError(f"expected the output {missing[0]} in {path}, found {', '.join(outputs)}; export it again")
