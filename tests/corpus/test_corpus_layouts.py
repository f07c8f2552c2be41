"""Published layouts with what goes wrong in them: nothing takes another image's mask, nothing goes by in silence."""

import json
import re
import shutil

import numpy as np
import pytest
from damage import draw, encode
from products import draw_mask
from runs import SilentAcceptanceError, write_tree

from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.mvtec_3d import MVTec3DProvider
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.datasets.visa import VisaProvider
from efficientad.errors import DataError


def png(seed: int) -> bytes:
    return encode(draw(seed), "PNG")


def jpg(seed: int) -> bytes:
    return encode(draw(seed), "JPEG")


def list_good(*folders: str) -> dict[str, bytes]:
    return {f"{folder}/{n}.png": png(100 * k + n) for k, folder in enumerate(folders) for n in range(4)}


MASK, BLACK = encode(draw_mask(), "PNG"), encode(draw_mask(0), "PNG")
KIND = {"defect_name": "x", "pixel_value": 255, "saturation_threshold": 1, "relative_saturation": True}
MVTEC = list_good("train/good", "test/good") | {"test/crack/0.png": png(900), "ground_truth/crack/0_mask.png": MASK}
LOCO = list_good("train/good", "validation/good", "test/good") | {
    "test/logical_anomalies/0.png": png(900),
    "ground_truth/logical_anomalies/0/000.png": MASK,
    "defects_config.json": json.dumps([KIND]).encode(),
}
DEPTH = list_good("train/good/rgb", "validation/good/rgb", "test/good/rgb") | {
    "test/crack/rgb/0.png": png(900), "test/crack/gt/0.png": MASK, "test/crack/xyz/0.tiff": b"not read",
}  # fmt: skip
TILES = {f"MT_Free/Imgs/{n}.jpg": jpg(n) for n in range(6)} | {
    "MT_Crack/Imgs/0.jpg": jpg(900), "MT_Crack/Imgs/0.png": MASK,
}  # fmt: skip
SPLIT = ["object,split,label,image,mask"] + [
    f"part,{'train' if n < 4 else 'test'},normal,part/Data/Images/Normal/{n}.JPG," for n in range(6)
] + ["part,test,anomaly,part/Data/Images/Anomaly/0.JPG,part/Data/Masks/Anomaly/0.png"]  # fmt: skip
VISA = {f"Data/Images/Normal/{n}.JPG": jpg(n) for n in range(6)} | {
    "Data/Images/Anomaly/0.JPG": jpg(900), "Data/Masks/Anomaly/0.png": MASK,
    "../split_csv/1cls.csv": "\n".join(SPLIT).encode(),
}  # fmt: skip
LAYOUTS: dict[str, tuple[type[DatasetProvider], dict[str, bytes]]] = {
    "mvtec": (MVTecProvider, MVTEC), "mvtec_loco": (MVTecLocoProvider, LOCO), "mvtec_3d": (MVTec3DProvider, DEPTH),
    "magnetic_tile": (MagneticTileProvider, TILES), "visa": (VisaProvider, VISA),
}  # fmt: skip
CONFIG = "defects_config.json"


def config(*kinds) -> dict[str, bytes]:
    return {CONFIG: json.dumps(kinds).encode()}


def split(*lines: str) -> dict[str, bytes]:
    return {"../split_csv/1cls.csv": "\n".join([*SPLIT, *lines]).encode()}


CRACK, LOGICAL = "ground_truth/crack", "ground_truth/logical_anomalies/0"
REFUSED = {
    "mvtec-mask_missing": ({f"{CRACK}/0_mask.png": None, f"{CRACK}/.keep": b""}, "expected a mask at"),
    "mvtec-mask_of_other_format": (
        {f"{CRACK}/0_mask.png": None, f"{CRACK}/0_mask.bmp": encode(draw_mask(), "BMP")}, "expected a mask at"),
    "mvtec-mask_black": ({f"{CRACK}/0_mask.png": BLACK}, "expected a defect in the mask"),
    "mvtec-mask_of_other_size": ({f"{CRACK}/0_mask.png": encode(draw_mask(size=(8, 8)), "PNG")}, "of size .*0_mask"),
    "mvtec-mask_cut": ({f"{CRACK}/0_mask.png": MASK[:-9]}, "crack/0_mask.png: the file is cut short"),
    "mvtec-mask_twice": ({f"{CRACK}/0.png": MASK}, "expected one mask for .*test/crack/0.png"),
    "mvtec-mask_and_folder": ({f"{CRACK}/0/000.png": MASK}, "expected one mask for .*test/crack/0.png"),
    "mvtec-images_of_one_mask": ({"test/crack/0.jpg": jpg(901)}, "expected one image for a mask"),
    "mvtec-nested_image_without_a_mask": ({"test/crack/deep/0.png": png(901)}, "expected a mask at .*deep/0_mask"),
    "mvtec-mask_of_good": ({"ground_truth/good/0_mask.png": MASK}, "expected no defect in .*test/good/0.png"),
    "mvtec-image_cut": ({"test/crack/0.png": png(900)[:-9]}, "test/crack/0.png: the file is cut short"),
    "mvtec-test_empty": ({name: None for name in MVTEC if name.startswith("test/")}, "expected"),
    "mvtec_loco-masks_missing": ({f"{LOGICAL}/000.png": None, f"{LOGICAL}/.keep": b""}, "expected masks of"),
    "mvtec_loco-mask_black": ({f"{LOGICAL}/000.png": BLACK}, "expected one value above 0"),
    "mvtec_loco-mask_of_other_kind": ({f"{LOGICAL}/000.png": encode(draw_mask(9), "PNG")}, "expected one value"),
    "mvtec_loco-images_of_one_mask": ({"test/logical_anomalies/0.jpg": jpg(901)}, "expected one image for a mask"),
    "mvtec_loco-config_cut": ({CONFIG: b'[{"defect'}, "expected kinds of defects"),
    "mvtec_loco-config_deep": ({CONFIG: b"[" * 100_000}, "expected kinds of defects"),
    "mvtec_loco-config_null": ({CONFIG: b"null"}, "expected kinds of defects"),
    "mvtec_loco-config_of_a_number": ({CONFIG: b"3"}, "expected kinds of defects"),
    "mvtec_loco-config_of_text": ({CONFIG: b'["pixel_value"]'}, "expected kinds of defects"),
    "mvtec_loco-config_without_a_key": (config({"pixel_value": 255}), "expected kinds of defects"),
    "mvtec_loco-config_digits": (config(KIND | {"saturation_threshold": 10**400}), "expected kinds of defects"),
    "mvtec_loco-config_nan": (config(KIND | {"saturation_threshold": float("nan")}), "expected kinds of defects"),
    "mvtec_loco-config_above_1": (config(KIND | {"saturation_threshold": 2}), "expected kinds of defects"),
    "mvtec_loco-config_truth": (config(KIND | {"relative_saturation": "yes"}), "expected kinds of defects"),
    "mvtec_loco-config_level": (config(KIND | {"pixel_value": 256}), "expected kinds of defects"),
    "mvtec_loco-config_twice": (config(KIND, KIND | {"saturation_threshold": 0.5}), "expected kinds of defects"),
    "mvtec_3d-mask_missing": ({"test/crack/gt/0.png": None}, "expected an image at .*crack/gt/0.png"),
    "mvtec_3d-mask_of_other_size": ({"test/crack/gt/0.png": encode(draw_mask(size=(8, 8)), "PNG")}, "of size"),
    "mvtec_3d-images_of_one_mask": ({"test/crack/rgb/0.jpg": jpg(901)}, "expected one image for a mask"),
    "magnetic_tile-mask_missing": ({"MT_Crack/Imgs/0.png": None}, "expected an image at .*MT_Crack/Imgs/0.png"),
    "magnetic_tile-images_of_one_mask": ({"MT_Crack/Imgs/0.JPG": jpg(901)}, "expected one image for a mask"),
    "magnetic_tile-free_missing": ({name: None for name in TILES if "Free" in name}, "expected"),
    "visa-mask_missing": ({"Data/Masks/Anomaly/0.png": None}, "expected an image at .*Anomaly/0.png"),
    "visa-image_missing": ({"Data/Images/Normal/3.JPG": None}, "1 are missing, such as Data/Images/Normal/3.JPG"),
    "visa-image_twice": (split(SPLIT[1].replace("train", "test")), "each image once .* got Data/Images/Normal/0.JPG"),
    "visa-image_above": (split("part,test,normal,part/../other/0.JPG,"), "expected an image below part/"),
    "visa-mask_above": (split(SPLIT[-1].replace("part/Data/Masks", "other/Masks")), "expected an image below part/"),
    "visa-split_cut": ({"../split_csv/1cls.csv": "\n".join(SPLIT)[:-40].encode()}, "expected"),
    "visa-split_empty": ({"../split_csv/1cls.csv": b""}, "expected rows of the object part"),
    "visa-split_in_utf16": ({"../split_csv/1cls.csv": "\n".join(SPLIT).encode("utf-16")}, "expected VisA's split"),
    "visa-split_of_bytes": ({"../split_csv/1cls.csv": bytes(500)}, "expected"),
    "visa-split_missing": ({"../split_csv/1cls.csv": None}, "expected VisA's split"),
}  # fmt: skip
NAMED = {
    "mvtec-mask_of_no_image": ({f"{CRACK}/9_mask.png": MASK}, f"{CRACK}/9_mask.png"),
    "mvtec-mask_of_training": ({"ground_truth/train/0_mask.png": MASK}, "ground_truth/train/0_mask.png"),
    "mvtec-loose_image": ({"test/lone.png": png(902)}, "test/lone.png"),
    "mvtec-other_folder": ({"train/bad/0.png": png(902)}, "train/bad/0.png"),
    "mvtec-other_format": ({"train/good/x.gif": b"GIF89a"}, "train/good/x.gif"),
    "mvtec-part_of_other_format": ({f"{CRACK}/0_mask.bmp": encode(draw_mask(), "BMP")}, f"{CRACK}/0_mask.bmp"),
    "mvtec_loco-part_of_other_format": ({f"{LOGICAL}/1.bmp": encode(draw_mask(), "BMP")}, f"{LOGICAL}/1.bmp"),
    "mvtec_loco-loose_mask": ({"ground_truth/logical_anomalies/7/000.png": MASK}, "anomalies/7/000.png"),
    "mvtec_3d-loose_image": ({"train/good/0.png": png(902)}, "train/good/0.png"),
    "mvtec_3d-loose_mask": ({"test/crack/gt/9.png": MASK}, "test/crack/gt/9.png"),
    "mvtec_3d-depth_of_no_image": ({"test/crack/xyz/9.tiff": b""}, "test/crack/xyz/9.tiff"),
    "magnetic_tile-image_of_other_format": ({"MT_Free/Imgs/x.bmp": encode(draw(902), "BMP")}, "MT_Free/Imgs/x.bmp"),
    "magnetic_tile-other_folder": ({"Dataset/0.jpg": jpg(902)}, "Dataset/0.jpg"),
    "visa-image_that_the_split_leaves_out": ({"Data/Images/Normal/9.JPG": jpg(902)}, "Data/Images/Normal/9.JPG"),
    "visa-mask_that_the_split_leaves_out": ({"Data/Masks/Anomaly/9.png": MASK}, "Data/Masks/Anomaly/9.png"),
}  # fmt: skip


def make(root, name: str, changes: dict[str, bytes | None]) -> type[DatasetProvider]:
    provider, files = LAYOUTS[name.split("-")[0]]
    write_tree(root, {key: payload for key, payload in (files | changes).items() if payload is not None})
    return provider


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_whole_layout_is_prepared_and_every_file_of_it_used(tmp_path, name):
    provider = make(tmp_path / "part", name, {})(tmp_path / "part")
    prepared = write_prepared(provider, tmp_path / "out", (32, 40), SplitPlan(0.7, 0.3, 0), 2)
    assert provider.list_left_out() == []
    (defect,) = np.flatnonzero([row.label for row in prepared.rows])
    assert np.array_equal(prepared.masks[defect], draw_mask() > 0)


@pytest.mark.parametrize(("name", "changes", "says"), [(name, *case) for name, case in REFUSED.items()], ids=[*REFUSED])
def test_what_a_layout_does_not_allow_is_refused(tmp_path, name, changes, says):
    provider = make(tmp_path / "part", name, changes)
    try:
        write_prepared(provider(tmp_path / "part"), tmp_path / "out", (32, 40), SplitPlan(0.7, 0.3, 0), 2)
    except DataError as error:
        assert re.search(says, str(error), re.DOTALL), error
        return
    raise SilentAcceptanceError(f"{name}: expected {says}")


@pytest.mark.parametrize(("name", "changes", "file"), [(name, *case) for name, case in NAMED.items()], ids=[*NAMED])
def test_what_nobody_reads_is_named(tmp_path, name, changes, file):
    provider = make(tmp_path / "part", name, changes)(tmp_path / "part")
    if not any(one.file.endswith(file) for one in provider.list_left_out()):
        raise SilentAcceptanceError(f"{name}: expected {file} among {provider.list_left_out()}")


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_folder_of_another_layout_is_refused_with_a_hint(tmp_path, name):
    others = {other: layout for other, layout in LAYOUTS.items() if {other, name} != {"mvtec", "mvtec_loco"}}
    for other in others.keys() - {name}:
        make(tmp_path / other / "part", other, {})
        with pytest.raises(DataError, match="expected"):
            LAYOUTS[name][0](tmp_path / other / "part")
        shutil.rmtree(tmp_path / other)


def test_a_mask_nested_like_its_image_is_that_image_s(tmp_path):
    other = draw_mask()[:, ::-1]
    changes = {
        "test/crack/deep/0.png": png(903),
        f"{CRACK}/deep/0_mask.png": encode(np.ascontiguousarray(other), "PNG"),
    }
    provider = make(tmp_path, "mvtec", changes)(tmp_path)
    masks = {sample.name: provider.load_mask(sample) for sample in provider.list_samples() if sample.label}
    assert np.array_equal(masks["test/crack/0.png"], draw_mask() > 0)
    assert np.array_equal(masks["test/crack/deep/0.png"], other > 0)
