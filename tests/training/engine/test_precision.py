import json

import pytest
import torch
from fake_clock import FakeClock

from efficientad.errors import ModelError
from efficientad.training.engine import precision, speed
from efficientad.training.engine.precision import MARGIN, settle_precision, uses_bfloat16


class Processor:
    """Convolutions that take as long on the fake clock as a test says."""

    def __init__(self) -> None:
        self.clock, self.runs = FakeClock(), 0
        self.seconds = {False: 1.0, True: 1.0}

    def convolve(self, bfloat16: bool) -> None:
        self.runs += 1
        self.clock.advance(self.seconds[bfloat16])


@pytest.fixture
def processor(monkeypatch):
    made = Processor()
    monkeypatch.setattr(speed, "_convolve", made.convolve)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return made


@pytest.mark.parametrize(
    ("speedup", "expected"), [(0.6, "fp32"), (1.0, "fp32"), (1.19, "fp32"), (1.21, "bf16"), (4, "bf16")]
)
def test_auto_is_bfloat16_where_it_is_faster_by_the_margin(processor, tmp_path, speedup, expected):
    """0.6 is an Intel server core without AMX: it has the instruction, and it is slower."""
    assert MARGIN == 1.2
    processor.seconds[True] = 1 / speedup
    assert settle_precision("auto", tmp_path, processor.clock) == expected


def test_a_machine_is_asked_once_and_stays_with_its_choice(processor, tmp_path):
    processor.seconds[True] = 0.5
    assert settle_precision("auto", tmp_path, processor.clock) == "bf16"
    runs = processor.runs
    assert runs > 0
    processor.seconds[True] = 2.0  # another program is at work
    assert settle_precision("auto", tmp_path, processor.clock) == "bf16"
    assert processor.runs == runs


@pytest.mark.parametrize("change", [{"processor": "other"}, {"instructions": "0"}, {"torch": "3"}, {"threads": 99}])
def test_another_processor_version_or_number_of_threads_is_asked_anew(processor, tmp_path, monkeypatch, change):
    processor.seconds[True] = 0.5
    assert settle_precision("auto", tmp_path, processor.clock) == "bf16"
    here = precision.describe_processor()
    monkeypatch.setattr(precision, "describe_processor", lambda: here | change)
    processor.seconds[True] = 2.0
    assert settle_precision("auto", tmp_path, processor.clock) == "fp32"
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_or_foreign_answer_is_measured_anew(processor, tmp_path):
    settle_precision("auto", tmp_path, processor.clock)
    (file,) = tmp_path.iterdir()
    whole = json.loads(file.read_text("utf-8"))
    damaged = [
        {},
        whole | {"precision": "fp8"},
        whole | {"processor": None},
        {"precision": ["bf16"]} | whole["processor"],
    ]
    for content in ["", *map(json.dumps, damaged)]:
        file.write_text(content, "utf-8")
        runs = processor.runs
        assert settle_precision("auto", tmp_path, processor.clock) == "fp32"
        assert processor.runs > runs
        assert json.loads(file.read_text("utf-8")) == whole


def test_a_folder_that_cannot_be_written_stops_nothing(processor, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    processor.seconds[True] = 0.5
    for _ in range(2):
        assert settle_precision("auto", tmp_path / "file", processor.clock) == "bf16"
    output, error = capsys.readouterr()
    assert "EFFICIENTAD_CACHE" in error
    assert "kept" not in output


def test_what_was_measured_is_told(processor, tmp_path, capsys):
    processor.seconds[True] = 0.5
    settle_precision("auto", tmp_path, processor.clock)
    line = capsys.readouterr().out
    assert line.startswith("precision auto: bf16; measured 6 GMAC/s in float32 and 12 in bfloat16, kept in")


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_a_precision_that_is_named_is_taken_unmeasured(processor, tmp_path, name):
    assert settle_precision(name, tmp_path, processor.clock) == name
    assert processor.runs == 0
    assert not list(tmp_path.iterdir())
    assert uses_bfloat16(name) == (name == "bf16")


@pytest.mark.parametrize("native", [False, True])
def test_a_gpu_uses_bfloat16_where_it_has_it(processor, tmp_path, monkeypatch, native):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native and not including_emulation)
    assert settle_precision("auto", tmp_path, processor.clock) == ("bf16" if native else "fp32")
    assert processor.runs == 0


def test_a_training_wants_a_settled_precision():
    with pytest.raises(ModelError, match="expected a precision of fp32 or bf16, got 'auto'"):
        uses_bfloat16("auto")
