"""A product of own images, whole, as a start for what goes wrong with it; and how links and pipes are made."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from damage import draw, encode
from runs import write_tree


def draw_mask(level: int = 255, size: tuple[int, int] = (32, 40)) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    mask[5:12, 5:12] = level
    return mask


def product() -> dict[str, bytes]:
    """Eight good images and two cracks with masks."""
    files = {f"good/{n}.png": encode(draw(n), "PNG") for n in range(8)}
    for n in range(2):
        files |= {f"crack/{n}.png": encode(draw(90 + n), "PNG"), f"masks/crack/{n}.png": encode(draw_mask(), "PNG")}
    return files


@dataclass(frozen=True)
class Folder:
    """A folder of the corpus: how it is made of the whole product, and what prepare says.

    says: of the refusal; warns: in files.json, where it is prepared all the same; both are regular expressions.
    """

    name: str
    change: Callable[[Path], object]
    says: str = ""
    warns: str = ""


def put(**files: bytes | None) -> Callable[[Path], None]:
    """Write files, or remove those of None; `__` stands for a slash, `_d_` for a dot."""

    def change(root: Path) -> None:
        for key, payload in files.items():
            name = key.replace("__", "/").replace("_d_", ".")
            if payload is None:
                (root / name).unlink()
            else:
                write_tree(root, {name: payload})

    return change


def link(name: str, target: str) -> Callable[[Path], None]:
    """Make a link, in a folder that is made when it is missing."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)

    return change


def pipe(name: str) -> Callable[[Path], None]:
    return lambda root: os.mkfifo(root / name)
