"""Folders of products: what is prepared is right, and what cannot be is refused or named."""

import io
import json
import re
import shutil
from functools import partial

import numpy as np
import pytest
import yaml
from damage import draw, encode
from PIL import Image
from products import Folder, draw_mask, link, pipe, product, put
from runs import SilentAcceptanceError, run_command, run_stage_script, write_tree

from efficientad.data.arrays.prepared import load_prepared

PNG = partial(encode, kind="PNG")
BLACK = np.zeros((32, 40), np.uint8)


def mask(payload: bytes, suffix: str = ".png"):
    """Replace the first crack's mask."""

    def change(root):
        (root / "masks/crack/0.png").unlink()
        write_tree(root, {f"masks/crack/0{suffix}": payload})

    return change


def keep(count: int):
    return lambda root: [(root / f"good/{n}.png").unlink() for n in range(count, 8)]


def fill(kind: str, level: int):
    def change(root):
        for path in (root / kind).iterdir():
            path.write_bytes(PNG(np.full((32, 40, 3), level, np.uint8)))

    return change


def move(source: str, target: str):
    def change(root):
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        (root / source).rename(root / target)

    return change


def copy(source: str, target: str):
    def change(root):
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (root / source).is_dir() else shutil.copy)(root / source, root / target)

    return change


def save(kind: str, image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


TRANSPARENT = np.concatenate([draw(1), np.full((32, 40, 1), 7, np.uint8)], axis=-1)
WHITE = np.full((32, 40), 255, np.uint8)
MASKS = [
    Folder("mask_black", mask(PNG(BLACK)), "all of it is black"),
    Folder("mask_white", mask(PNG(WHITE)), warns="black and white are swapped"),
    Folder("mask_inverted", mask(PNG(255 - draw_mask())), warns="black and white are swapped"),
    Folder("mask_of_other_size", mask(PNG(draw_mask(size=(40, 32)))), "size .*crack/0"),
    Folder("mask_smaller", mask(PNG(draw_mask(size=(16, 20)))), "size .*crack/0"),
    Folder("mask_cut", mask(PNG(draw_mask())[:-20]), "masks/crack/0.png: the file is cut short"),
    Folder("mask_empty", mask(b""), "masks/crack/0.png: the file is empty"),
    Folder("mask_text", mask(b"polygon"), "masks/crack/0.png: the file is not a JPEG"),
    Folder("mask_transparent", mask(PNG(TRANSPARENT)), "some are transparent"),
    Folder("mask_jpeg", mask(encode(draw_mask(), "JPEG"), ".jpg"), warns="a mask of a format that blurs edges"),
    Folder("mask_webp", mask(encode(draw_mask(), "WEBP"), ".webp"), warns="a mask of a format that blurs edges"),
    Folder("mask_gif", mask(encode(draw_mask(), "GIF"), ".gif"), warns="a mask of a format that blurs edges"),
    Folder("mask_json", mask(b"{}", ".json"), warns="a mask of a format that blurs edges"),
    Folder("mask_float", mask(encode(draw_mask().astype(np.float32), "TIFF"), ".tif"), "float samples"),
    Folder("mask_frames", mask(save("TIFF", Image.fromarray(BLACK)) + b"", ".tif"), "all of it is black"),
    Folder("mask_tiff", mask(encode(draw_mask(), "TIFF"), ".tif")),
    Folder("mask_bmp", mask(encode(draw_mask(), "BMP"), ".bmp")),
    Folder("mask_level_1", mask(PNG(draw_mask(1)))),
    Folder("mask_16_bits", mask(PNG(draw_mask().astype(np.uint16) * 100))),
    Folder("mask_bilevel", mask(save("PNG", Image.fromarray(draw_mask() > 0)))),
    Folder("mask_colour", mask(PNG(draw_mask()[..., None] * np.uint8([1, 0, 0])))),
    Folder("mask_of_no_image", put(masks__crack__9_d_png=PNG(draw_mask())), warns="masks/crack/9.png.*a mask of no"),
    Folder("mask_twice", put(masks__crack__0_mask_d_png=PNG(draw_mask())), "expected one mask for .*crack/0.png"),
    Folder("mask_of_two", put(crack__0_d_bmp=encode(draw(3), "BMP")), "expected one image for the mask .*crack/0"),
    Folder("mask_of_good", put(masks__good__0_d_png=PNG(draw_mask())), "expected no defect in .*good/0.png"),
    Folder("mask_of_good_black", put(masks__good__0_d_png=PNG(BLACK))),
    Folder("mask_missing", put(masks__crack__0_d_png=None)),
    Folder("masks_missing", lambda root: shutil.rmtree(root / "masks")),
    Folder("mask_is_a_folder", put(masks__crack__0_d_png=None, masks__crack__0_d_png__a_d_txt=b"x"), warns="0.png/a"),
    Folder("mask_linked", lambda root: [move("masks/crack/0.png", "../0.png")(root),
                                        link("masks/crack/0.png", "../../../0.png")(root)]),
    Folder("mask_link_broken", lambda root: [put(masks__crack__0_d_png=None)(root),
                                             link("masks/crack/0.png", "nowhere")(root)], warns="leads to no file"),
    Folder("masks_capital", move("masks", "Masks")),
    Folder("masks_ground_truth", move("masks", "ground_truth")),
]  # fmt: skip
LINKS = [
    Folder("link_to_an_image", link("good/linked.png", "0.png")),
    Folder("link_broken", link("good/broken.png", "nowhere.png"), warns="good/broken.png.*leads to no file"),
    Folder("link_to_itself", link("good/self.png", "self.png"), warns="good/self.png.*leads to no file"),
    Folder("link_loop_of_folders", link("good/loop", ".."), warns="good/loop.*"),
    Folder("link_loop_above", link("loop", "."), warns="loop.*"),
    Folder("link_inside_good", lambda root: [(root.parent / "more").mkdir(), link("good/more", "../../more")(root)],
           warns="good/more.*link to a folder"),
    Folder("link_of_a_class", lambda root: [move("crack", "../elsewhere")(root), link("crack", "../elsewhere")(root)],
           warns="crack.*DVC does not see"),
    Folder("link_to_endless_bytes", link("good/zero.png", "/dev/zero"), warns="good/zero.png"),
    Folder("pipe", pipe("good/pipe.png"), warns="good/pipe.png"),
    Folder("folder_as_an_image", lambda root: (root / "good/folder.png").mkdir()),
    Folder("image_in_a_folder_as_an_image", put(good__a_d_png__b_d_png=PNG(draw(40)))),
]  # fmt: skip
PLACES = [
    Folder("empty", lambda root: [shutil.rmtree(root / name) for name in ("good", "crack", "masks")], "expected good"),
    Folder("missing", shutil.rmtree, "expected good images in raw/part/good, found no such folder"),
    Folder("a_file", lambda root: [shutil.rmtree(root), root.write_bytes(b"x")], "expected good images in"),
    Folder("no_good", lambda root: shutil.rmtree(root / "good"), "expected good images in .*found none"),
    Folder("good_empty", keep(0), "expected good images in .*found none"),
    Folder("one_good", keep(1), "expected at least 2 training and 1 validation images"),
    Folder("two_good", keep(2), "expected at least 2 training and 1 validation images"),
    Folder("no_defects", lambda root: [shutil.rmtree(root / name) for name in ("crack", "masks")]),
    Folder("all_good_alike", fill("good", 90), "expected at least"),
    Folder("all_defects_alike", fill("crack", 200)),
    Folder("all_black", lambda root: [fill("good", 0)(root), fill("crack", 0)(root)], "expected at least"),
    Folder("good_inside_of_good", put(good__deeper__good__7_d_png=PNG(draw(41)))),
    Folder("good_inside_of_a_class", put(crack__good__7_d_png=PNG(draw(41))), "expected defects alone in crack"),
    Folder("image_beside_folders", put(lone_d_png=PNG(draw(42))), warns="lone.png.*lies beside the folders"),
    Folder("train_without_test", move("good", "train/good"), "expected good images for the test"),
    Folder("train_and_test", lambda root: [move("good", "train/good")(root), copy("train/good", "test/good")(root)],
           "expected at least"),
    Folder("train_class", put(train__crack__1_d_png=PNG(draw(43))), warns="train/crack/1.png.*lies neither"),
    Folder("validation_class", put(validation__crack__1_d_png=PNG(draw(43))), warns="lies neither"),
    Folder("capitals", move("good", "GOOD")),
    Folder("unknown_files", put(good__a_d_gif=b"GIF89a", good__b_d_txt=b"x", notes_d_md=b"#"), warns="good/a.gif"),
    Folder("hidden_image", put(good___d_hidden_d_png=b"broken")),
    Folder("hidden_folder", put(_d_cache__a_d_png=b"broken")),
    Folder("in_train_and_test", copy("good/0.png", "test/good/other.png"), warns="a copy of an image"),
    Folder("in_validation_and_test", lambda root: [copy("good/0.png", "validation/good/a.png")(root),
                                                   copy("good/0.png", "test/good/b.png")(root)],
           "got 7 and 0 .* left out"),
    Folder("in_train_and_crack", lambda root: [copy("crack/0.png", "train/good/a.png")(root)], warns="a copy of"),
    Folder("in_good_and_crack_of_test", copy("crack/0.png", "test/good/a.png"), warns="good here, and a defect as"),
    Folder("copy_in_another_format", put(test__good__a_d_bmp=encode(draw(0), "BMP")), warns="a copy of an image"),
    Folder("twice_in_good", copy("good/0.png", "good/00.png")),
    Folder("suffix_apart", put(good__0_d_bmp=encode(draw(50), "BMP"))),
    Folder("one_pixel", put(good__small_d_png=PNG(draw(51, (1, 1))))),
    Folder("class_named_like_an_option", move("crack", "--output"), warns="masks/crack/0.png.*a mask of no image"),
    Folder("class_of_spaces", move("crack", "   "), warns="masks/crack/0.png.*a mask of no image"),
    Folder("class_of_two_lines", move("crack", "a\nb"), warns="masks/crack/0.png.*a mask of no image"),
    Folder("class_of_markup", move("crack", "<b>&'\""), warns="masks/crack/0.png.*a mask of no image"),
]  # fmt: skip
FOLDERS = [*MASKS, *LINKS, *PLACES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_prepared_as_it_stands_there_or_refused(project, folder):
    root = project / "raw/part"
    write_tree(root, product())
    folder.change(root)
    outcome = run_stage_script("prepare", "part")
    if folder.says:
        outcome.check_refused("DataError: ", folder.says)
        return
    outcome.check_accepted()
    prepared = load_prepared(project / "data/prepared/part")
    assert {split: len(prepared.indices(split)) > 0 for split in ("train", "validation", "test")} == {
        "train": True, "validation": True, "test": True,
    }  # fmt: skip
    findings = json.loads((project / "metrics/prepare/part/files.json").read_text("utf-8"))
    told = "\n".join(f"{one['file']}: {one['reason']}" for one in findings["left_out"] + findings["warned"])
    if folder.warns:
        if not re.search(folder.warns, told):
            raise SilentAcceptanceError(f"{folder.name}: expected {folder.warns} among the warnings:\n{told}")
        assert "WARNING part" in outcome.printed
    else:
        assert told == "", told


@pytest.mark.again
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_check_tells_of_a_folder_what_prepare_would_stop_at(project, folder):
    root = project / "raw/part"
    write_tree(root, product())
    folder.change(root)
    outcome = run_command("check", root)
    outcome.check_no_traceback()
    assert outcome.code in (0, 1, 3), outcome
    if outcome.code == 1:
        outcome.check_refused("DataError: ")


REGIONS = [
    ("nowhere.png", None, "expected an image at .*nowhere.png"),
    ("black.png", PNG(BLACK), "expected white pixels in .*black.png"),
    ("cut.png", PNG(WHITE)[:-9], "cannot read .*cut.png: the file is cut short"),
    ("grey.jpg", encode(WHITE, "JPEG"), "expected a mask of type"),
    (".", None, "expected a mask of type"),
    ("../other.png", PNG(WHITE), "data.region: expected a file in the category's folder"),
    ("/etc/hostname", None, "data.region: expected a file in the category's folder"),
    ("other_size.png", PNG(np.full((7, 9), 255, np.uint8)), ""),
]


@pytest.mark.parametrize(("name", "payload", "says"), REGIONS, ids=[name for name, *_ in REGIONS])
def test_a_region_is_read_or_refused(project, params_text, name, payload, says):
    write_tree(project / "raw/part", product() | ({name: payload} if payload else {}))
    tree = yaml.safe_load(params_text)
    tree["data"]["region"] = name
    (project / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    outcome = run_stage_script("prepare", "part")
    outcome.check_refused(says) if says else outcome.check_accepted()


GROUPS = [
    (b"", "expected columns|to name the part of every good image"),
    (b"name,group\n", "to name the part of every good image"),
    (b"name;group\ngood/0.png;1\n", "expected columns name and group"),
    (b"name,group\ngood/0.png\n", "expected columns name and group"),
    (b"name,group\n0.png,1\n", "0.png fits|to name the part"),
    (b"name,group\ngood/0.png,1\ngood/0.png,2\n", "expected one group for good/0.png"),
    (b"\xff\xfe\0n", "in UTF-8"),
    (b"name,group\n\0,1\n", "expected|to name"),
    (b'name,group\n"good/0.png,1\n', "expected columns|to name"),
    (b"name,group\n" + b'"' + b"x" * 200_000 + b'",1\n', "field larger than field limit"),
]


@pytest.mark.parametrize(("payload", "says"), GROUPS)
def test_a_table_of_parts_is_read_or_refused(project, params_text, payload, says):
    write_tree(project / "raw/part", product() | {"parts.csv": payload})
    tree = yaml.safe_load(params_text)
    tree["data"]["group"] = "parts.csv"
    (project / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    run_stage_script("prepare", "part").check_refused("parts.csv", says)


@pytest.mark.parametrize("pattern", ["(", "[", "a{99999999999999}", "(" * 5000, "(?P<n>", "*", "nothing"])
def test_an_expression_that_names_no_part_is_refused(project, params_text, pattern):
    write_tree(project / "raw/part", product())
    tree = yaml.safe_load(params_text)
    tree["data"]["group"] = pattern
    (project / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    run_stage_script("prepare", "part").check_refused("data.group")
