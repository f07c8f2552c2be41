"""Prepared arrays, manifests and metrics, cut short, swapped or of other types: refused by whoever reads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from damage import draw, encode
from products import product
from runs import SilentAcceptanceError, run_stage_script, write_tree

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.errors import DataError


@pytest.fixture(scope="module")
def written(tmp_path_factory, params_text):
    """A project whose stages prepare and pretraining have run."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "params.yaml").write_text(params_text, "utf-8")
    write_tree(folder / "raw/part", product())
    write_tree(folder / "photographs", {f"{n}.png": encode(draw(n), "PNG") for n in range(3)})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_stage_script("prepare", "part").check_accepted()
        run_stage_script("pretraining").check_accepted()
    return folder


def cut(share: float):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def fill(payload: bytes):
    return lambda path: path.write_bytes(payload)


def put_array(array: np.ndarray):
    return lambda path: np.save(path, array, allow_pickle=True)


def edit(change):
    def action(path: Path) -> None:
        tree = json.loads(path.read_text("utf-8"))
        change(tree)
        path.write_text(json.dumps(tree), "utf-8")

    return action


def set_key(*keys, value):
    def change(tree) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        tree[keys[-1]] = value

    return edit(change)


def drop(*keys):
    def change(tree) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        del tree[keys[-1]]

    return edit(change)


HEADER = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }"
ARRAYS = {
    "missing": Path.unlink,
    "empty": fill(b""),
    "cut_in_its_header": cut(0.0001),
    "cut_at_half": cut(0.5),
    "cut_by_a_byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": fill(b"no array"),
    "image": fill(encode(draw(1), "PNG")),
    "pickle": put_array(np.array([{"a": 1}], object)),
    "of_other_type": put_array(np.zeros((10, 64, 64, 3), np.float32)),
    "of_other_size": put_array(np.zeros((10, 32, 32, 3), np.uint8)),
    "of_fewer_rows": put_array(np.zeros((1, 64, 64, 3), np.uint8)),
    "of_no_rows": put_array(np.zeros((0, 64, 64, 3), np.uint8)),
    "of_one_number": put_array(np.uint8(3)),
    "of_a_huge_shape": fill((HEADER % b"9999999999, 64, 64, 3").ljust(127) + b"\n" + bytes(99)),
    "of_a_negative_shape": fill((HEADER % b"-1, 64, 64, 3").ljust(127) + b"\n" + bytes(99)),
    "of_a_header_that_is_code": fill((HEADER % b"__import__('os').system('touch pwned'),").ljust(127) + b"\n"),
    "a_folder": lambda path: [path.unlink(), path.mkdir()],
    "a_link_to_itself": lambda path: [path.unlink(), path.symlink_to(path.name)],
}
MANIFESTS = {
    "missing": Path.unlink,
    "empty": fill(b""),
    "cut": cut(0.5),
    "null": fill(b"null"),
    "list": fill(b"[]"),
    "number": fill(b"3"),
    "no_keys": fill(b"{}"),
    "latin_1": fill(b'{"size": "\xe9"}'),
    "utf_16": lambda path: path.write_bytes(path.read_text("utf-8").encode("utf-16")),
    "deep": fill(b"[" * 100_000),
    "digits": fill(b'{"size": ' + b"9" * 5000 + b"}"),
    "without_size": drop("size"),
    "without_rows": drop("rows"),
    "size_of_text": set_key("size", value="large"),
    "size_null": set_key("size", value=None),
    "size_infinite": set_key("size", value=[float("inf")] * 2),
    "size_huge": set_key("size", value=[10**400] * 2),
    "size_other": set_key("size", value=[64, 65]),
    "rows_null": set_key("rows", value=None),
    "rows_of_text": set_key("rows", value="rows"),
    "rows_fewer": edit(lambda tree: tree["rows"].pop()),
    "rows_more": edit(lambda tree: tree["rows"].append(tree["rows"][0])),
    "row_of_a_number": set_key("rows", 0, value=3),
    "row_without_a_name": drop("rows", 0, "name"),
    "row_null": set_key("rows", 0, value=None),
}
OF_PRODUCT = {
    "row_of_a_split_unknown": set_key("rows", 0, "split", value="tests"),
    "row_of_a_label_unknown": set_key("rows", 0, "label", value=7),
    "row_of_a_label_of_text": set_key("rows", 0, "label", value="0"),
    "row_of_a_mask_unknown": set_key("rows", 0, "mask", value="no"),
    "row_of_a_name_of_a_number": set_key("rows", 0, "name", value=3),
    "row_of_a_defect_and_no_label": set_key("rows", 0, "defect", value="dent"),
    "row_with_another_key": set_key("rows", 0, "colour", value="red"),
    "two_rows_of_one_name": edit(lambda tree: tree["rows"][0].update(name=tree["rows"][1]["name"])),
    "raw_null": set_key("raw", value=None),
    "raw_missing": set_key("raw", 0, "file", value="raw/9999.png"),
    "raw_above": set_key("raw", 0, "file", value="../../params.yaml"),
    "raw_of_a_number": set_key("raw", 0, "file", value=3),
    "left_out_null": set_key("left_out", value=None),
    "annotations_null": set_key("annotations", value=None),
    "annotations_without_a_file": set_key("annotations", value=[{"name": "a", "saturation_px": 1.0}]),
}
PREPARED = [
    *(("images.npy", name, change) for name, change in ARRAYS.items()),
    *(("masks.npy", name, change) for name, change in ARRAYS.items()),
    *(("manifest.json", name, change) for name, change in (MANIFESTS | OF_PRODUCT).items()),
    ("region.npy", "of_other_size", put_array(np.ones((9, 9), np.bool_))),
    ("region.npy", "of_other_type", put_array(np.ones((64, 64), np.float32))),
    ("region.npy", "empty", fill(b"")),
    ("region.npy", "all_outside", put_array(np.zeros((64, 64), np.bool_))),
]
PHOTOGRAPHS = [
    *(("images.npy", name, change) for name, change in ARRAYS.items()),
    *(("manifest.json", name, change) for name, change in MANIFESTS.items() if name != "row_without_a_name"),
    ("manifest.json", "row_without_a_photograph", drop("rows", 0, "photograph")),
]


def name_case(value) -> str | None:
    return value if isinstance(value, str) else None


def refuse(load, folder: Path) -> None:
    try:
        load(folder)
    except DataError as error:
        assert str(folder) in str(error)
        assert "again" in str(error), error
        assert "\n" not in str(error)
        assert len(str(error)) < 1000, error
        return
    raise SilentAcceptanceError("expected a refusal")


@pytest.mark.parametrize(("file", "name", "change"), PREPARED, ids=name_case)
def test_a_product_that_is_not_as_prepare_wrote_it_is_refused(written, tmp_path, monkeypatch, file, name, change):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(written / "data/prepared/part", tmp_path / "part")
    change(tmp_path / "part" / file)
    refuse(load_prepared, tmp_path / "part")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(("file", "name", "change"), PHOTOGRAPHS, ids=name_case)
def test_photographs_that_are_not_as_pretraining_wrote_them_are_refused(written, tmp_path, file, name, change):
    shutil.copytree(written / "data/pretraining", tmp_path / "photographs")
    change(tmp_path / "photographs" / file)
    refuse(load_pretraining, tmp_path / "photographs")


STAGES = [
    ("train", "L", "part", "0"), ("train", "S", "nosuch", "0"), ("train", "M", "part", "0"), ("fit", "L", "part", "0"),
    ("calibrate", "L", "part", "0"), ("evaluate", "L", "part", "0"), ("export", "L", "part", "0"),
    ("report", "L", "part", "0"), ("summary",), ("results",), ("card",),
]  # fmt: skip


@pytest.mark.parametrize("words", STAGES, ids=" ".join)
def test_a_stage_by_hand_without_its_inputs_says_what_is_missing(project, words):
    run_stage_script(*words).check_refused("found no file|found none|No such file")


@pytest.mark.parametrize(
    "words", [("train", "S", "part", "-1"), ("train", "S", "part", "1" * 400), ("train", "S", "../part", "0"),
              ("train", "XL", "part", "0"), ("train",), ("prepare", "x; touch pwned #"), ("distill", "s")], ids=" ".join
)  # fmt: skip
def test_words_that_no_stage_knows_are_wrong_usage(project, words):
    outcome = run_stage_script(*words)
    outcome.check_refused("error: ")
    assert outcome.code == 2


METRICS = {
    "cut": '{"metrics": {"image_auroc": 0.',
    "empty": "",
    "list": "[1]",
    "null": "null",
    "other_keys": '{"verdicts": {}}',
    "metrics_null": '{"metrics": null}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("stage", ["summary", "results"])
def test_metrics_that_are_not_as_evaluate_wrote_them_are_refused(project, stage, text):
    write_tree(project, {"metrics/evaluate/L/part/0.json": text.encode()})
    run_stage_script(stage).check_refused("DataError: expected .*metrics/evaluate/L/part/0.json")


SCORES = {"missing": None, "empty": b"", "cut": b"part,kind,sc", "text": b"a,b,c\n1,2,3\n", "bytes": bytes(300)}


@pytest.mark.parametrize("payload", SCORES.values(), ids=SCORES)
def test_scores_that_are_not_as_fit_wrote_them_are_refused(project, payload):
    if payload is not None:
        write_tree(project, {"models/L/part/0/scores.csv": payload})
    run_stage_script("calibrate", "L", "part", "0").check_refused("DataError: expected .*models/L/part/0/scores.csv")


@pytest.mark.again
def test_what_nobody_changed_is_read(written):
    assert len(load_prepared(written / "data/prepared/part").rows) == 10
    assert len(load_pretraining(written / "data/pretraining").images) == 2
