"""Which files of a folder are images."""

from pathlib import Path

import numpy as np
import pytest

from efficientad.data.files.listing import list_images
from efficientad.errors import DataError


def test_images_are_listed_by_posix_path_without_hidden_files(tmp_path: Path, gradient: np.ndarray):
    for name in ("b/2.png", "a.png", "b/1.JPG", ".hidden.png", ".cache/x.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)] == [
        "a.png",
        "b/1.JPG",
        "b/2.png",
    ]
    with pytest.raises(DataError, match="expected a folder"):
        list_images(tmp_path / "nowhere")
