"""Models cut short, changed, swapped or of no kind at all: refused in a line, or the same verdict as before."""

import json
import shutil

import pytest
from damage import draw, encode
from runs import SilentAcceptanceError, run_command

from efficientad.deploy.format.sealing import seal_ir

WEIGHTS, ONNX, IR = "detector.safetensors", "detector.onnx", "openvino/fp32/1/model.xml"
BIN = "openvino/fp32/1/model.bin"
FILES = ((WEIGHTS, WEIGHTS), (ONNX, ONNX), (IR, IR), (BIN, IR))


def cut(share: float):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip(share: float):
    def change(path) -> None:
        payload = bytearray(path.read_bytes())
        payload[int(share * (len(payload) - 1))] ^= 0x10
        path.write_bytes(payload)

    return change


BROKEN = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"not a model"),
    "image": lambda path: path.write_bytes(encode(draw(1), "PNG")),
    "git_lfs": lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a_folder": lambda path: [path.unlink(), path.mkdir()],
    **{f"cut_at_{share}": cut(share) for share in (0.001, 0.3, 0.99)},
}
FLIPPED = {f"flipped_at_{share}": flip(share) for share in (0, 0.001, 0.25, 0.5, 0.75, 0.999)}


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


HEADER = {
    "version": ("0.1.0", "99.0"), "threshold_nan": ("0.31", "nan"), "threshold_inf": ("0.31", "inf"),
    "threshold_text": ("0.31", "high"), "scale_zero": ("0.4", "0"), "scale_negative": ("0.4", "-1"),
    "image_size": ("64 64", "32 32"), "image_size_of_three": ("64 64", "64 64 3"), "entity": ("washer", "&none;"),
}  # fmt: skip


def seal_anew(copy) -> None:
    """Renew the checksum, so that it is what was changed that is refused."""
    xml, weights = copy / "models" / IR, copy / "models" / BIN
    xml.write_bytes(seal_ir(xml.read_text("utf-8"), weights.read_bytes()))


@pytest.mark.again
def test_a_checksum_can_be_renewed(copy):
    seal_anew(copy)
    judge(copy, IR).check_accepted()


@pytest.mark.parametrize(("old", "new"), HEADER.values(), ids=HEADER)
def test_a_header_of_other_values_is_refused(copy, old, new):
    path = copy / "models" / IR
    text = path.read_text("utf-8")
    assert f'value="{old}"' in text
    path.write_text(text.replace(f'value="{old}"', f'value="{new}"'), "utf-8")
    seal_anew(copy)
    judge(copy, IR).check_refused("ModelError: (?!.*checksum)")


def test_weights_of_another_model_are_refused(copy):
    path = copy / "models" / BIN
    payload = bytearray(path.read_bytes())
    half = len(payload) // 2
    path.write_bytes(payload[half:] + payload[:half])
    judge(copy, IR).check_refused("ModelError: ")
