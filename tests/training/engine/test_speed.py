import pytest
import torch
from fake_clock import FakeClock
from torch.utils.flop_counter import FlopCounterMode

from efficientad.training.engine import speed
from efficientad.training.engine.speed import ROUNDS, describe_processor, measure_speeds, time_in_turn

X86 = "processor\t: 0\nvendor_id\t: A\nmodel name\t: A 1\nflags\t\t: avx2 avx512f\n\nprocessor\t: 1\nmodel name\t: B\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


def describe(folder, text):
    (folder / "cpuinfo").write_text(text, "utf-8")
    return describe_processor(folder / "cpuinfo")


def test_a_speed_belongs_to_processor_instructions_torch_and_threads(tmp_path, monkeypatch):
    first = describe(tmp_path, X86)
    assert first["processor"] == "A A 1"
    assert (first["torch"], first["threads"]) == (torch.__version__, torch.get_num_threads())
    assert describe(tmp_path, X86) == first
    other = describe(tmp_path, X86.replace("avx2 avx512f", "avx2"))
    assert other["processor"] == first["processor"]
    assert other["instructions"] != first["instructions"]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    assert describe(tmp_path, X86)["threads"] == 77


def test_arm_and_systems_without_a_list_are_described_too(tmp_path):
    arm, plain = describe(tmp_path, ARM), describe_processor(tmp_path / "none")
    assert arm["processor"] == "0x41 0xd40"
    assert plain["processor"]
    assert arm["instructions"] != plain["instructions"]


def test_the_least_disturbed_run_counts_and_the_first_does_not():
    clock = FakeClock()
    durations = {"slow": iter([0.1, 9, 5, 4, 9, 9]), "fast": iter([0.1, 7, 7, 7, 2, 3])}
    order = []

    def build(name):
        def run():
            order.append(name)
            clock.advance(next(durations[name]))

        return run

    assert ROUNDS == 5
    assert time_in_turn({name: build(name) for name in durations}, clock) == pytest.approx({"slow": 4, "fast": 2})
    assert order == ["slow", "fast"] * 6


def test_speeds_are_the_multiplications_of_the_convolution_and_its_gradients_a_second(monkeypatch):
    """Counted by torch, within 4 %: the image's gradient has a rim that the formula leaves out."""
    with FlopCounterMode(display=False) as counter:
        speed._convolve(bfloat16=False)
    clock = FakeClock()

    def pretend(bfloat16):
        clock.advance(0.5 if bfloat16 else 2.0)

    monkeypatch.setattr(speed, "_convolve", pretend)
    speeds = measure_speeds(clock)
    assert speeds["fp32"] == pytest.approx(counter.get_total_flops() / 2 / 1e9 / 2.0, rel=0.04)
    assert speeds["bf16"] == pytest.approx(4 * speeds["fp32"])


def test_the_convolution_is_computed_in_the_precision_asked_for(monkeypatch):
    seen = []
    real = torch.nn.functional.conv2d

    def note(*arguments):
        result = real(*arguments)
        seen.append(result.dtype)
        return result

    monkeypatch.setattr(torch.nn.functional, "conv2d", note)
    for bfloat16 in (False, True):
        speed._convolve(bfloat16)
    assert seen == [torch.float32, torch.bfloat16]
