"""What a check says of files, masks and content, each on the smallest folder that shows it."""

from dataclasses import replace
from pathlib import Path

import pytest
from measured_images import make, make_good

from efficientad.data.arrays.samples import Sample
from efficientad.data.checking.content_findings import find_in_content
from efficientad.data.checking.copies import Copies
from efficientad.data.checking.file_findings import find_in_files
from efficientad.data.checking.findings import Finding, sort_findings
from efficientad.data.checking.layout import Contents
from efficientad.data.checking.mask_findings import find_in_masks, list_odd_masks
from efficientad.data.checking.measuring import MaskFacts, Measured
from efficientad.data.checking.oddness import find_odd, find_shifts
from efficientad.data.checking.walking import LeftOut

EMPTY = Contents(Path(), "folder", (), {}, (), ())
NONE = Copies((), ())


def describe(findings: list[Finding]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {finding.key: (finding.severity, finding.names) for finding in findings}


def describe_masks(measured: list[Measured], contents: Contents) -> dict[str, tuple[str, tuple[str, ...]]]:
    masks = {entry.sample.name: ("m",) for entry in measured if entry.mask or entry.mask_error}
    samples = tuple(entry.sample for entry in measured)
    return describe(find_in_masks(replace(contents, samples=samples, masks=masks), measured))


def test_a_folder_in_order_has_no_findings():
    images = [*make_good(20), *(make(f"dent/{n}.png", mask=MaskFacts(100, 100, 50)) for n in range(9))]
    assert find_in_files(EMPTY, images) == find_in_content(images, NONE, find_odd(images), find_shifts(images)) == []
    assert describe_masks(images, EMPTY) == {}


def test_every_broken_image_is_named():
    broken = [Measured(Sample(f"good/{n}.png", None, "good"), error="the file is empty") for n in range(2)]
    found = describe(find_in_files(EMPTY, [*make_good(3), *broken]))
    assert found == {
        "broken_image": ("problem", ("good/0.png: the file is empty", "good/1.png: the file is empty")),
    }


def test_what_is_left_out_is_told_apart_from_other_files():
    left_out = (LeftOut("good/a.heic", "format .heic is not read"), LeftOut("notes.txt", "is no image"))
    assert describe(find_in_files(replace(EMPTY, left_out=left_out), make_good(3))) == {
        "left_out": ("warning", ("good/a.heic: format .heic is not read",)),
        "no_image": ("note", ("notes.txt",)),
    }


def test_images_that_are_stored_otherwise_are_told():
    images = [*make_good(5), make("dent/0.jpg", format="jpeg"), make("dent/1.png", is_grey=True)]
    assert describe(find_in_files(EMPTY, images))["mixed_coding"] == (
        "warning", ("dent/0.jpg: JPEG 8 bit colour", "dent/1.png: PNG 8 bit grey")
    )  # fmt: skip


def test_images_of_another_shape_are_told_and_of_another_size_are_not():
    images = [*make_good(5), make("good/large.png", size=(200, 200)), make("good/wide.png", size=(100, 160))]
    assert describe(find_in_files(EMPTY, images)) == {"mixed_aspect": ("warning", ("good/wide.png: 160 x 100 px",))}


@pytest.mark.parametrize(
    ("name", "mask", "key", "severity", "word"),
    [
        ("dent/0.png", MaskFacts(100, 100, 0), "empty_mask", "problem", "empty mask"),
        ("dent/0.png", MaskFacts(100, 100, 6000), "large_mask", "warning", "mask of 60%"),
        ("dent/0.png", MaskFacts(50, 100, 9), "mask_size", "problem", "mask of another size"),
        ("good/0.png", MaskFacts(100, 100, 9), "mask_of_good", "problem", "mask of a good image"),
    ],
)
def test_a_mask_that_cannot_be_right(name, mask, key, severity, word):
    images = [make(name, mask=mask)]
    assert list_odd_masks(images) == [(name, word)]
    found = describe_masks(images, EMPTY)
    assert list(found) == [key]
    assert found[key][0] == severity
    assert found[key][1][0].startswith(name)


def test_masks_of_no_image_and_images_of_no_mask():
    images = [make("dent/0.png", mask=MaskFacts(100, 100, 9)), make("dent/1.png")]
    assert describe_masks(images, replace(EMPTY, lone_masks=("masks/dent/7.png",))) == {
        "lone_mask": ("problem", ("masks/dent/7.png",)),
        "no_mask": ("warning", ("dent/1.png",)),
    }
    assert describe_masks(images, replace(EMPTY, layout="mvtec"))["no_mask"][0] == "problem"


def test_a_broken_mask_is_a_problem():
    images = [replace(make("dent/0.png"), mask_error="the file is empty")]
    assert describe_masks(images, EMPTY) == {"broken_mask": ("problem", ("dent/0.png: the file is empty",))}


def test_a_folder_without_masks_is_asked_for_none():
    assert describe_masks([make("dent/0.png")], EMPTY) == {}


def test_a_copy_among_the_defects_is_a_problem_and_another_a_warning():
    images = [*make_good(4), make("dent/0.png")]
    copies = Copies((("good/000.png", "good/001.png"), ("good/002.png", "dent/0.png")), ())
    assert describe(find_in_content(images, copies, [], [])) == {
        "good_and_defect": ("problem", ("good/002.png = dent/0.png",)),
        "copy": ("warning", ("good/000.png = good/001.png",)),
    }


def test_several_images_of_a_part_matter_where_one_may_train():
    images = [*make_good(4), make("dent/0.png"), make("dent/1.png")]
    copies = Copies((), (("good/000.png", "good/001.png"), ("dent/0.png", "dent/1.png")))
    assert describe(find_in_content(images, copies, [], [])) == {
        "near_duplicate": ("warning", ("good/000.png = good/001.png",)),
        "near_duplicate_in_test": ("note", ("dent/0.png = dent/1.png",)),
    }


def test_odd_images_and_shifted_kinds_are_put_into_words():
    images = [*make_good(20), make("good/odd.png", exposure=(20, 30, 0.3))]
    images += [make(f"dent/{n}.png", exposure=(80, 30, 0.3)) for n in range(9)]
    found = describe(find_in_content(images, NONE, find_odd(images), find_shifts(images)))
    assert found["odd_exposure"][1][0].startswith("good/odd.png (dark: 20, others ")
    assert found["shifted_kind"][1][0].startswith("dent: dark (brightness 80, good images 122; tells 9")


def test_the_worst_comes_first():
    keys = [("note", "a"), ("problem", "b"), ("warning", "c"), ("problem", "d")]
    findings = [Finding(severity, key, "") for severity, key in keys]
    assert [finding.key for finding in sort_findings(findings)] == ["b", "d", "c", "a"]
