"""The header of an IR, read from its XML alone."""

import pytest
from tiny_models import HEADER

from efficientad.deploy.format.ir_header import read_ir_header
from efficientad.errors import ModelError


def test_it_is_the_one_that_was_written(models):
    assert read_ir_header(models / "openvino/fp32/1/model.xml") == HEADER


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "run the stage `export` again"), ("<net>", "expected an OpenVINO model"), ("<net/>", "'size' in the meta")],
)
def test_another_file_is_an_error(tmp_path, text, words):
    path = tmp_path / "model.xml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ModelError, match=words):
        read_ir_header(path)
