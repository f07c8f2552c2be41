"""What every stage script takes from its command line."""

import re

import pytest

from efficientad.pipeline.layout import Item
from efficientad.pipeline.stage import parse_category, parse_item, parse_size


def call(monkeypatch, parse, *words):
    monkeypatch.setattr("sys.argv", ["stage.py", *words])
    return parse()


@pytest.mark.parametrize("words", [["S", "gear", "3"], ["--size", "S", "--category", "gear", "--seed", "3"]])
def test_an_item_is_given_by_hand_or_as_dvc_does(monkeypatch, words):
    assert call(monkeypatch, parse_item, *words) == Item("S", "gear", 3)


def test_a_stage_without_seeds_takes_its_category_or_size_alone(monkeypatch):
    assert (
        call(monkeypatch, parse_category, "--category", "gear") == call(monkeypatch, parse_category, "gear") == "gear"
    )
    assert call(monkeypatch, parse_size, "--size", "L") == call(monkeypatch, parse_size, "L") == "L"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["S", "../gear", "0"], "argument category: name: expected 1 to 100 letters"),
        (["--size", "S", "--category", "x; touch pwned #", "--seed", "0"], "argument --category: name: expected 1 to"),
        (["--size", "S", "--category", "--seed", "0"], "argument --category: expected one argument"),
        (["S", "gear", "-1"], "argument seed: expected a whole number from 0 to 2147483647, got '-1'"),
        (["S", "gear", "0.5"], "argument seed: expected a whole number from 0 to 2147483647, got '0.5'"),
        (["S", "gear", "2147483648"], "argument seed: expected a whole number"),
        (["S", "gear", "²"], "argument seed: expected a whole number"),
        (["XL", "gear", "0"], "argument size: expected one of S, M, L, got 'XL'"),
        (["S", "gear"], "required: seed"),
        (["--size", "S", "--category", "gear"], "required: --seed"),
    ],
)
def test_each_wrong_word_is_one_clear_error(monkeypatch, capsys, words, message):
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, parse_item, *words)
    assert re.search(message, capsys.readouterr().err)
