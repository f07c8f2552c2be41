"""The XML of a model that somebody hands over can neither fill the memory nor read another file."""

import pytest

from efficientad.deploy.format.ir_header import read_ir_header
from efficientad.errors import ModelError

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))  # a gigabyte of ten letters


@pytest.mark.parametrize(
    "declaration",
    [f'<!ENTITY a0 "laughing..">{LAUGHS}', '<!ENTITY a9 SYSTEM "file:///etc/hostname">'],
    ids=["entities that grow", "entity of a file"],
)
def test_entities_are_refused(tmp_path, declaration):
    path = tmp_path / "model.xml"
    path.write_text(f"<!DOCTYPE net [{declaration}]><net><rt_info>&a9;</rt_info></net>")
    with pytest.raises(ModelError, match="expected an OpenVINO model"):
        read_ir_header(path)
