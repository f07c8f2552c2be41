"""Models cut short, changed, swapped or of no kind at all: refused in a line, or the same verdict as before."""

import json
import shutil

import pytest
from damage import draw, encode
from damaged_models import BIN, BROKEN, FLIPPED, HEADER, IR, change_header, seal_anew, swap_halves
from runs import SilentAcceptanceError, run_command

WEIGHTS, ONNX = "detector.safetensors", "detector.onnx"
FILES = ((WEIGHTS, WEIGHTS), (ONNX, ONNX), (IR, IR), (BIN, IR))


@pytest.fixture
def copy(models, tmp_path):
    shutil.copytree(models, tmp_path / "models")
    (tmp_path / "images").mkdir()
    for number in range(2):
        (tmp_path / f"images/{number}.png").write_bytes(encode(draw(number), "PNG"))
    return tmp_path


def judge(folder, model: str):
    return run_command(
        "predict", folder / "images", "--model", folder / "models" / model, "--output", folder / "out", "--restart"
    )


def read_scores(folder) -> list[float | None]:
    lines = (folder / "out/predictions.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line).get("score") for line in lines]


def change_and_judge(copy, file: str, model: str, change) -> None:
    judge(copy, model).check_accepted()
    before = read_scores(copy)
    change(copy / "models" / file)
    outcome = judge(copy, model)
    outcome.check_no_traceback()
    if outcome.code == 0 and read_scores(copy) != before:
        raise SilentAcceptanceError(f"{file}: {before} became {read_scores(copy)}")
    if outcome.code:
        outcome.check_refused("ModelError: ")


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("file", "model"), FILES, ids=[file for file, _ in FILES])
def test_a_model_that_is_not_whole_is_refused(copy, file, model, change):
    change(copy / "models" / file)
    judge(copy, model).check_refused("ModelError: ")


@pytest.mark.long
@pytest.mark.parametrize("change", FLIPPED.values(), ids=FLIPPED)
@pytest.mark.parametrize(("file", "model"), FILES, ids=[file for file, _ in FILES])
def test_a_flipped_bit_never_moves_a_score(copy, file, model, change):
    change_and_judge(copy, file, model, change)


@pytest.mark.again
def test_a_checksum_can_be_renewed(copy):
    seal_anew(copy / "models")
    judge(copy, IR).check_accepted()


@pytest.mark.parametrize(("old", "new"), HEADER.values(), ids=HEADER)
def test_a_header_of_other_values_is_refused(copy, old, new):
    change_header(copy / "models", old, new)
    judge(copy, IR).check_refused("ModelError: (?!.*checksum)")


def test_weights_of_another_model_are_refused(copy):
    swap_halves(copy / "models" / BIN)
    judge(copy, IR).check_refused("ModelError: ")
