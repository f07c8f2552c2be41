"""Readers of a stranger's bytes under Hypothesis: whatever comes, an error of this project or a right value.

The examples are the same in each run.
"""

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_closure import ROOT

from efficientad.data.arrays.prepared import load_array, load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.data.files.containers import inspect_container
from efficientad.data.images.resizing import resize_mask
from efficientad.errors import DataError, EfficientADError, ModelError, ParamsError
from efficientad.model.header import ModelHeader
from efficientad.pipeline.params_file import load_params, parse_params

TREE = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
TEXT = (ROOT / "params.yaml").read_text("utf-8")
BUDGET = settings(
    derandomize=True, database=None, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just("9" * 400)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
PATHS = [(section, key) for section, values in TREE.items() if isinstance(values, dict) for key in values]
PATHS += [(section,) for section in TREE]


@BUDGET
@given(st.sampled_from(PATHS), VALUES)
def test_any_value_in_params_is_taken_or_named(path, value):
    tree = json.loads(json.dumps(TREE))
    tree.pop("category")
    tree["train"]["paper"] = None
    inner = tree
    for key in path[:-1]:
        inner = inner.get(key, {})
    inner[path[-1]] = value
    try:
        parse_params(tree)
    except ParamsError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1500


@BUDGET
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 40), st.text(max_size=12))
def test_any_change_of_the_text_of_params_is_read_or_named(place, length, inserted):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "params.yaml")
        path.write_bytes((TEXT[:place] + inserted + TEXT[place + length :]).encode("utf-8", "surrogatepass"))
        try:
            load_params(path, "washer")
        except ParamsError as error:
            assert "\n" not in str(error)


def encode_seeds() -> list[bytes]:
    """One file of each format: colour, grey and, where the format knows it, 16 bits."""
    image = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    deep = (image.astype(np.uint16) * 257).astype(np.uint16)
    files = [bytes(cv2.imencode(suffix, image)[1]) for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp")]
    return files + [bytes(cv2.imencode(suffix, deep)[1]) for suffix in (".png", ".tiff")]


SEEDS = encode_seeds()
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=5), st.integers(0, 5)), max_size=6
)


def change(payload: bytes, changes) -> bytes:
    for share, inserted, length in changes:
        place = int(share * len(payload))
        payload = payload[:place] + inserted + payload[place + length :]
    return payload


@settings(BUDGET, max_examples=600)
@given(st.sampled_from(SEEDS), CHANGES)
def test_any_bytes_are_a_container_or_say_why_not(seed, changes):
    payload = change(seed, changes)
    try:
        container = inspect_container(payload)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    assert container.height >= 0
    assert container.width >= 0


@settings(BUDGET, max_examples=300)
@given(st.binary(max_size=200))
def test_bytes_out_of_nothing_are_a_container_or_say_why_not(payload):
    for magic in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"BM", b"RIFF\0\0\0\0WEBP"):
        try:
            inspect_container(magic + payload)
        except ValueError as error:
            assert "\n" not in str(error)


@BUDGET
@given(VALUES, VALUES, VALUES)
def test_any_manifest_is_a_product_or_named(size, rows, raw):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        np.save(root / "images.npy", np.zeros((1, 4, 4, 3), np.uint8))
        np.save(root / "masks.npy", np.zeros((1, 4, 4), np.bool_))
        for manifest in (size, {"size": size, "rows": rows, "raw": raw, "left_out": raw}):
            try:
                text = json.dumps(manifest)
            except ValueError:
                continue
            (root / "manifest.json").write_text(text, "utf-8")
            for load in (load_prepared, load_pretraining):
                with pytest.raises(DataError):
                    load(root)


@BUDGET
@given(st.lists(st.tuples(st.integers(0, 127), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4))
def test_any_header_of_an_array_is_read_or_named(changes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.npy")
        np.save(path, np.zeros((3, 4), np.uint8))
        payload = bytearray(path.read_bytes())
        for place, inserted in changes:
            payload[place : place + len(inserted)] = inserted
        path.write_bytes(payload)
        try:
            load_array(path)
        except DataError as error:
            assert str(path) in str(error)


HEADER = {
    "size": "L", "image_size": "64 64", "category": "x", "threshold": "0.5", "false_alarm_rate": "0.05",
    "display_scale": "1.0", "training_data": "", "version": "0.1.0", "branches": "a 0 1",
}  # fmt: skip


@settings(BUDGET, max_examples=300)
@given(st.sampled_from([*HEADER]), VALUES | st.text(alphabet="0123456789 .-+einfa", max_size=12))
def test_any_header_of_a_model_is_read_or_named(name, value):
    try:
        ModelHeader.parse(HEADER | {name: value}, "a file")
    except EfficientADError as error:
        assert isinstance(error, ModelError)
        assert "\n" not in str(error)


@settings(BUDGET, max_examples=100)
@given(st.data(), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_no_region_of_a_mask_is_lost_whatever_the_sizes(data, height, width, small_height, small_width):
    pixels = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(pixels, np.bool_).reshape(height, width)
    small = resize_mask(mask, (small_height, small_width))
    count, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    for region in range(1, count):
        rows, columns = np.nonzero(regions == region)
        tops, lefts = rows * small_height // height, columns * small_width // width
        bottoms = -(-(rows + 1) * small_height // height)
        rights = -(-(columns + 1) * small_width // width)
        cells = zip(tops, bottoms, lefts, rights, strict=True)
        assert any(small[top:bottom, left:right].any() for top, bottom, left, right in cells)
    assert mask.any() or not small.any()
