"""The station's program in C++ on the images and models of the corpus: it does with each what Python does."""

import json
import re
import shutil

import numpy as np
import pytest
from damage import ANY, REFUSED, draw, encode, list_damaged, list_wrong_suffixes
from damaged_models import BIN, BROKEN, FLIPPED, HEADER, IR, change_header, seal_anew, swap_halves
from odd_images import list_odd
from runs import SilentAcceptanceError, write_tree

from efficientad.data.images.reading import read_image
from efficientad.data.images.resizing import resize_image
from efficientad.deploy.engines.load import load_engine
from efficientad.errors import DataError, ModelError

pytestmark = pytest.mark.again

FILES = [*list_damaged(), *list_wrong_suffixes(), *list_odd()]
CLOSE = 1e-4  # of scores about 0.5: OpenCV's own decoders of JPEG may differ by a level


def test_the_program_skips_what_python_refuses_and_scores_the_rest_alike(build, models, tmp_path):
    write_tree(tmp_path, {file.name: file.payload for file in FILES})
    model = models / IR
    run = build.infer(model, *(tmp_path / file.name for file in FILES), "--json")
    assert run.returncode == 3, run.stderr
    records = {record["image"].rsplit("/", 1)[-1]: record for record in map(json.loads, run.stdout.splitlines())}
    assert len(records) == len(FILES)
    engine = load_engine(model)
    for file in FILES:
        record = records[file.name]
        if file.expected != ANY and ("error" in record) != (file.expected == REFUSED):
            raise SilentAcceptanceError(f"{file.name}: expected {file.expected}, got {record}")
        try:
            image = resize_image(read_image(tmp_path / file.name), engine.header.image_size)
        except DataError:
            continue
        if file.pixels is not None:
            assert abs(record["score"] - engine.run(image[np.newaxis]).scores[0]) < CLOSE, file.name


@pytest.fixture
def copy(models, tmp_path):
    """The models' IR, and an image."""
    shutil.copytree((models / IR).parent, (tmp_path / IR).parent)
    (tmp_path / "part.png").write_bytes(encode(draw(1), "PNG"))
    return tmp_path


def check_refused(build, copy, says: str = "") -> None:
    """One line on stderr that says it, a regular expression, and Python refuses the model as well."""
    run = build.infer(copy / IR, copy / "part.png")
    if run.returncode == 0:
        raise SilentAcceptanceError(f"expected a refusal, got {run.stdout}")
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(rf"efficientad_infer: expected {says}[^\n]*\n", run.stderr), run.stderr
    with pytest.raises(ModelError):
        load_engine(copy / IR)


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("file", [IR, BIN])
def test_the_program_refuses_a_model_that_is_not_whole(build, copy, file, change):
    change(copy / file)
    check_refused(build, copy)


@pytest.mark.long
@pytest.mark.parametrize("change", FLIPPED.values(), ids=FLIPPED)
@pytest.mark.parametrize("file", [IR, BIN])
def test_the_program_refuses_a_flipped_bit(build, copy, file, change):
    change(copy / file)
    check_refused(build, copy)


@pytest.mark.parametrize(("old", "new"), HEADER.values(), ids=HEADER)
def test_the_program_refuses_a_header_of_other_values(build, copy, old, new):
    change_header(copy, old, new)
    check_refused(build, copy, "(?!.*checksum)")


def test_the_program_refuses_weights_of_another_model(build, copy):
    swap_halves(copy / BIN)
    check_refused(build, copy)


def test_the_program_takes_a_model_that_was_sealed_anew(build, copy):
    seal_anew(copy)
    assert build.infer(copy / IR, copy / "part.png").returncode == 0
