"""The station's program in C++ on every image of the corpus: it judges what Python reads, and skips the rest."""

import json

import numpy as np
import pytest
from damage import ANY, REFUSED, list_damaged, list_wrong_suffixes
from odd_images import list_odd
from runs import SilentAcceptanceError, write_tree

from efficientad.data.images.reading import read_image
from efficientad.data.images.resizing import resize_image
from efficientad.deploy.engines.load import load_engine
from efficientad.errors import DataError

FILES = [*list_damaged(), *list_wrong_suffixes(), *list_odd()]
CLOSE = 1e-4  # of scores about 0.5: OpenCV's own decoders of JPEG may differ by a level


@pytest.mark.again
def test_the_program_skips_what_python_refuses_and_scores_the_rest_alike(build, models, tmp_path):
    write_tree(tmp_path, {file.name: file.payload for file in FILES})
    model = models / "openvino/fp32/1/model.xml"
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
