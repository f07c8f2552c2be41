"""Where a user's own images lie, by the names of their folders; upper and lower case are alike.

good/                            good images; a share of them tests, unless there are good images for the test alone
train/good/   good_train/        good images for training
validation/good/   good_validation/   good images for the threshold
test/good/   good_test/          good images for the test
<class>/   test/<class>/         defects of a class, which test
masks/<class>/<stem>.png         the mask of <class>/<stem>.*, or <stem>_mask.png; also mask, gt, ground_truth, labels;
                                 such a folder may lie inside of others, too, and is never a class
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from efficientad.data.arrays.samples import GOOD, Split
from efficientad.errors import DataError

MASK_FOLDERS = frozenset({"mask", "masks", "gt", "ground_truth", "labels"})
_SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
GOOD_FOLDERS: dict[str, Split | None] = {GOOD: None} | {f"{GOOD}_{name}": split for name, split in _SPLITS.items()}
_MASK_ENDING = "_mask"


@dataclass(frozen=True)
class Place:
    """What the folders of an image say of it: its split (None: open) and its class; or `reason`: why it is not used."""

    split: Split | None = None
    defect: str = GOOD
    reason: str = ""


def is_mask(name: str) -> bool:
    """Say whether a file lies in a folder of masks."""
    return any(part.lower() in MASK_FOLDERS for part in PurePosixPath(name).parts[:-1])


def find_place(name: str) -> Place:
    """Return the place of an image that lies in no folder of masks.

    Raises DataError for a class with a folder `good` inside of it, which would count as defective.

    >>> find_place("test/crack/1.png")
    Place(split='test', defect='crack', reason='')
    """
    folders = PurePosixPath(name).parts[:-1]
    first, second = [*(folder.lower() for folder in folders[:2]), "", ""][:2]
    if not first:
        return Place(reason="lies beside the folders; move it into one, such as good")
    if first in GOOD_FOLDERS:
        return Place(GOOD_FOLDERS[first])
    if first in _SPLITS:
        return _find_in_split(folders, second)
    if GOOD in (folder.lower() for folder in folders[1:]):
        raise DataError(
            f"expected defects alone in {folders[0]}, found a folder of good images there, such as {name}; "
            "name the outer folder train, validation or test, or move the images to good"
        )
    return Place("test", folders[0])


def _find_in_split(folders: tuple[str, ...], second: str) -> Place:
    split = _SPLITS[folders[0].lower()]
    if second == GOOD:
        return Place(split)
    if split == "test" and second:
        return Place("test", folders[1])
    expected = f"{folders[0]}/good" + (f" or {folders[0]}/<class>" if split == "test" else "")
    return Place(reason=f"lies neither in a folder that is used nor in one of masks; move it to {expected}")


def find_keys(name: str) -> list[str]:
    """Return what image and mask have in common: the image's key, or those of the images that a mask may belong to.

    >>> find_keys("test/crack/1.png"), find_keys("ground_truth/crack/1_mask.TIF")
    (['crack/1'], ['crack/1_mask', 'crack/1'])
    """
    path = PurePosixPath(name.lower()).with_suffix("")
    parts = [part for part in path.parts[:-1] if part not in MASK_FOLDERS]
    below = parts[1:] if parts and parts[0] in _SPLITS else parts
    key = "/".join([*below, path.name])
    shorter = key.removesuffix(_MASK_ENDING)
    return [key] if shorter == key or not is_mask(name) else [key, shorter]
