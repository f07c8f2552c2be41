"""What is shown of a loop. A fake clock makes it as slow as a test wants; a fake terminal takes the bar."""

import io
import sys

import pytest
from fake_clock import FakeClock

from efficientad.pipeline.progress import Progress, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(total, seconds_each, done=0, note="", label="images"):
    clock = FakeClock()
    with Progress(label, total, done, clock) as progress:
        for step in range(done + 1, total + 1):
            clock.advance(seconds_each)
            progress.show(step, note)


def open_terminal(monkeypatch) -> Terminal:
    """Put a terminal in place of stderr; inside of a test, as pytest puts its own there before each."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def test_a_log_has_a_line_every_tenth_with_the_time_left(capsys):
    run(40, 2.0, note="loss 3")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0] == "images: 4 of 40, loss 3, 2 s each, 1:12 min left"
    assert lines[-1] == "images: 40 of 40, loss 3, 2 s each, 0 s left"


@pytest.mark.parametrize(("total", "lines"), [(3, 3), (10, 10), (13, 10), (999, 10)])
def test_a_step_has_one_line_at_most_and_the_last_one_has_one(capsys, total, lines):
    run(total, 10.0)
    output = capsys.readouterr().out.splitlines()
    assert len(output) == lines
    assert output[-1].startswith(f"images: {total} of {total},")


def test_a_loop_that_goes_on_counts_what_was_done_but_not_its_time(capsys):
    run(100, 1.0, done=50)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0] == "images: 60 of 100, 1 s each, 40 s left"


@pytest.mark.parametrize(("total", "seconds_each"), [(100, 0.05), (1, 100.0)])
def test_short_loops_and_single_steps_say_nothing(capsys, total, seconds_each):
    run(total, seconds_each)
    assert capsys.readouterr() == ("", "")


def test_of_several_processes_the_first_shows(capsys, monkeypatch):
    for rank, lines in (("0", 10), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        run(10, 10.0)
        assert len(capsys.readouterr().out.splitlines()) == lines


def test_a_loop_inside_of_another_is_not_shown(capsys):
    with Progress("outer", 3):
        run(10, 10.0, label="inner")
    assert "inner" not in capsys.readouterr().out
    run(10, 10.0, label="after")
    assert "after" in capsys.readouterr().out


def test_a_terminal_shows_a_bar_and_no_lines(monkeypatch, capsys):
    terminal = open_terminal(monkeypatch)
    run(4, 2.0, note="loss 3")
    shown = terminal.getvalue()
    assert "images" in shown
    assert "4/4" in shown
    assert "loss 3" in shown
    assert capsys.readouterr().out == ""


def test_a_terminal_shows_nothing_for_less_than_a_second(monkeypatch):
    terminal = open_terminal(monkeypatch)
    run(4, 0.2)
    assert terminal.getvalue() == ""


def test_an_error_gives_the_terminal_back(monkeypatch):
    terminal = open_terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt), Progress("images", 9, clock=iter([0.0, 5.0, 6.0]).__next__) as progress:
        progress.show(1)
        raise KeyboardInterrupt
    assert progress.bar is None
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is shown again
    run(4, 2.0, label="the next loop")
    assert "the next loop" in terminal.getvalue()


@pytest.mark.parametrize("items", [[3, 1, 2], (n for n in (3, 1, 2)), []])
def test_tracked_items_come_as_they_are(items):
    assert list(track(items, "items")) in ([3, 1, 2], [])


def test_tracking_stops_with_the_loop_that_stops(capsys):
    for _ in track(range(5), "first"):
        break
    run(10, 10.0, label="second")
    assert "second" in capsys.readouterr().out
