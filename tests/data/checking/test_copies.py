"""Copies and several images of one part, on images that are photographed so."""

from collections.abc import Sequence

import numpy as np
import pytest
from measured_images import make
from photographed_parts import photograph_parts

from efficientad.data.arrays.samples import Sample
from efficientad.data.checking.copies import Copies, count_good_parts, find_copies, format_parts
from efficientad.data.checking.measuring import Measured
from efficientad.data.datasets.groups import find_groups
from efficientad.data.images.resizing import resize_image


def measure(images: Sequence[np.ndarray]) -> list[Measured]:
    thumbnails = [resize_image(image, (128, 128))[..., :1] for image in images]
    return [make(f"good/{n:02}.png", thumbnail=thumbnail) for n, thumbnail in enumerate(thumbnails)]


@pytest.fixture(scope="module")
def photographed():
    """Twelve parts, each at two exposures, and what is found in them."""
    images, parts = photograph_parts(12, [0.5, 1.0], seed=2)
    measured = measure(images)
    return measured, parts, find_copies(measured)


def test_images_of_one_part_are_found(photographed):
    _, parts, copies = photographed
    expected = {tuple(f"good/{n:02}.png" for n, part in enumerate(parts) if part == which) for which in range(12)}
    assert copies.same == ()
    assert len(set(copies.alike) & expected) >= 11
    assert set(copies.alike) <= expected


def test_copies_are_one_image_of_their_part(photographed):
    measured, _, found = photographed
    doubled = [*measured, make("dent/copy.png", digest="good/03.png")]
    copies = find_copies(doubled)
    assert copies.same == (("good/03.png", "dent/copy.png"),)
    assert copies.alike == found.alike


def test_good_parts_that_may_train_are_counted_once():
    images = [make(f"good/{n}.png") for n in range(6)]
    images += [make("test/good/a.png", "test"), make("dent/a.png")]
    copies = Copies((("good/0.png", "good/1.png"),), (("good/1.png", "good/2.png"), ("good/5.png", "dent/a.png")))
    assert count_good_parts(images, copies) == 4


def test_the_file_of_parts_can_be_data_group(tmp_path):
    images = [make(f"good/{n}.png") for n in range(4)]
    text = format_parts(images, Copies((), (("good/1.png", "good/3.png"),)))
    (tmp_path / "parts.csv").write_text(text, encoding="utf-8")
    groups = find_groups("parts.csv", tmp_path, [Sample(entry.sample.name, None, "good") for entry in images])
    assert groups["good/1.png"] == groups["good/3.png"]
    assert len(set(groups.values())) == 3
