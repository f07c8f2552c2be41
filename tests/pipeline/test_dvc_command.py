"""What DVC says and wrote, read as it is, or a line that says what is wrong with it."""

import pytest
import yaml

from efficientad.errors import DataError
from efficientad.pipeline.dvc_command import ask_dvc, read_locked_stages


def test_the_lock_of_a_large_matrix_is_read(tmp_path):
    """Fifteen products, three sizes and two seeds have 200,000 values and more, twice as many as params may have."""
    entry = {"cmd": "python", "outs": [{"path": f"out {place}", "md5": "0" * 32, "size": 1} for place in range(20)]}
    stages = {f"fit@L-part-{index}": entry for index in range(15 * 3 * 2 * 20)}
    text = "".join(f"  {name}: {yaml.safe_dump(stage, default_flow_style=True, width=10**6)}"
                   for name, stage in stages.items())  # fmt: skip
    (tmp_path / "dvc.lock").write_text(f"stages:\n{text}", "utf-8")
    assert read_locked_stages(tmp_path / "dvc.lock") == stages


@pytest.mark.parametrize("text", [None, "", "stages: [1]", "stages:\n  a: 1\n", "{"])
def test_anything_else_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "dvc.lock").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"dvc\.lock"):
        read_locked_stages(tmp_path / "dvc.lock")


def test_what_dvc_complains_of_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="expected an answer to `dvc stage list`, got ERROR: you are not inside"):
        ask_dvc("stage", "list")
