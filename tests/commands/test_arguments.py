"""Numbers on the command line: those that would never end, or bound nothing, are refused before any work."""

import pytest

from efficientad.cli import main


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0", "-1", "1e300", "five", "9" * 400])
def test_a_benchmark_that_would_not_end_is_not_begun(capsys, seconds):
    with pytest.raises(SystemExit, match="2"):
        main(["benchmark", "model.xml", f"--seconds={seconds}"])
    assert "expected seconds above 0, at most 86400, got" in capsys.readouterr().err


@pytest.mark.parametrize("millions", ["nan", "inf", "0", "-1", "1e300"])
def test_a_server_without_a_bound_is_not_started(capsys, millions):
    for option in ("--max-megabytes", "--max-megapixels"):
        with pytest.raises(SystemExit, match="2"):
            main(["serve", "model.xml", f"{option}={millions}"])
        assert "expected a number above 0, at most 10000, got" in capsys.readouterr().err
