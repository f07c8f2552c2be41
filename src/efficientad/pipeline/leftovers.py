"""What is left of categories, sizes and seeds that params.yaml dropped. Only what a stage wrote counts."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from efficientad.model.sizes import SIZES, Size
from efficientad.pipeline.layout import (
    ITEM_STAGES,
    list_items,
    locate_distill_metrics,
    locate_prepare_report,
    locate_prepared,
    locate_teacher,
)


def find_leftovers(
    sizes: Sequence[Size], categories: Sequence[str], seeds: Sequence[int], root: Path = Path()
) -> list[Path]:
    """Return files and folders below `root` that belong to items outside of the matrix, sorted.

    A user's own files beside them, such as models/L/gear/0-old, are none.
    """
    by_category = [
        path for locate in (locate_prepared, locate_prepare_report) for path in (root / locate("*").parent).glob("*")
    ]
    leftovers = [path for path in by_category if path.is_dir() and path.name not in categories]
    dropped = [size for size in SIZES if size not in sizes]
    by_size = [root / locate(size) for locate in (locate_distill_metrics, locate_teacher) for size in dropped]
    leftovers += [path for path in by_size if path.exists()]
    names = {item.name for item in list_items(sizes, categories, seeds)}
    for folder in ("models", "metrics/report", *(f"metrics/{stage}" for stage in ITEM_STAGES)):
        for path in (root / folder).glob("[SML]/*/[0-9]*"):
            is_item = re.fullmatch(r"\d+(\.json)?", path.name)
            if is_item and path.relative_to(root / folder).with_suffix("").as_posix() not in names:
                leftovers.append(path)
    return sorted(leftovers)


def remove_empty_folders(path: Path, root: Path = Path()) -> None:
    """Remove the folders around a removed `path` that hold nothing now but DVC's .gitignore, up to `root`."""
    for folder in path.parents:
        if folder == root or any(inner.name != ".gitignore" for inner in folder.iterdir()):
            return
        (folder / ".gitignore").unlink(missing_ok=True)
        folder.rmdir()


def drop_stages(lock: str, names: Collection[str]) -> str:
    """Return the text of dvc.lock with the stages `names` alone: DVC keeps those of dropped items for ever.

    >>> drop_stages("schema: '2.0'\\nstages:\\n  a@x:\\n    cmd: a\\n  a@y:\\n    cmd: b\\n", {"a@y"})
    "schema: '2.0'\\nstages:\\n  a@y:\\n    cmd: b\\n"
    """
    blocks = re.split(r"^(?=  \S.*:$)", lock, flags=re.MULTILINE)
    return "".join([blocks[0], *(block for block in blocks[1:] if block.split(":\n", 1)[0].strip() in names)])
