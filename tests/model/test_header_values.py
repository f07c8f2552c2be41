"""Values of a header are read strictly, of text as of JSON."""

import pytest

from efficientad.model.branch import Branch, Quantiles
from efficientad.model.header_values import (
    MOST_PX,
    VERSIONS,
    read_branches,
    read_number,
    read_one_of,
    read_positive,
    read_rate,
    read_size,
    read_text,
    read_version,
    split,
)


def name_choice(value):
    return read_one_of(("S", "M"), value)


@pytest.mark.parametrize(
    ("value", "number"),
    [("0", 0.0), ("12", 12.0), ("-3", -3.0), ("+3", 3.0), ("2.", 2.0), ("2.5", 2.5), ("25e2", 2500.0),
     ("2.5E-1", 0.25), ("1e+2", 100.0), (3, 3.0), (-0.25, -0.25), (10**300, 1e300), (-(10**300), -1e300)],
)  # fmt: skip
def test_a_number_is_written_out_or_a_json_number(value, number):
    found = read_number(value)
    assert (type(found), found) == (float, number)


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1 ", ".5", "1e", "1.5.2", "--1", "0x1p3", "1_0", "1,5", "one", "nan", "inf", "-inf", "1e999", "9" * 400,
     "\u0663", "\uff11", True, False, None, [1], float("nan"), float("inf"), -float("inf"), 10**400, -(10**400)],
)  # fmt: skip
def test_no_other_text_and_no_other_value_is_a_number(value):
    for read, expected in (
        (read_number, "^a finite number$"),
        (read_positive, "^a finite number above 0$"),
        (read_rate, "^a number above 0 and below 1$"),
    ):
        with pytest.raises(ValueError, match=expected):
            read(value)


@pytest.mark.parametrize(
    ("read", "inside", "outside"),
    [
        (read_positive, [1e-300, "0.5", 1, 7e9], [0, "0", -1e-300, "-0.4", -1]),
        (read_rate, [1e-300, "0.5", 0.999999], [0, "0", 1, "1.0", 1.000001, -0.5, 2]),
    ],
)
def test_a_scale_lies_above_0_and_a_rate_between_0_and_1(read, inside, outside):
    assert [read(value) for value in inside] == [float(value) for value in inside]
    for value in outside:
        with pytest.raises(ValueError, match="above 0"):
            read(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [("64 128", (64, 128)), ([64, 128], (64, 128)), ((64, "128"), (64, 128)), ("1 16384", (1, 16384)),
     ([16384, 1], (16384, 1)), ("064 64", (64, 64))],
)  # fmt: skip
def test_a_size_is_a_height_and_a_width(value, size):
    found = read_size(value)
    assert found == size
    assert [type(side) for side in found] == [int, int]


@pytest.mark.parametrize(
    "value",
    ["", "64", "64 64 3", "0 64", "64 0", "-64 64", "+64 64", "64.0 64", "64 16385", "16385 64", "64 " + "9" * 5000,
     "\u0666\u0664 64", [64], [64, 64, 3], [64, True], [64.0, 64], [64, None], [0, 64], [64, -1], 64, None, {64: 64}],
)  # fmt: skip
def test_a_size_is_of_two_whole_sides_that_a_graph_takes(value):
    with pytest.raises(ValueError, match=f"from 1 to {MOST_PX} px"):
        read_size(value)


def test_a_text_is_any_text_and_a_choice_one_of_the_names():
    assert [read_text(value) for value in ("", "washer", "1")] == ["", "washer", "1"]
    assert [name_choice(value) for value in ("S", "M")] == ["S", "M"]
    for value in (None, 1, ["S"], True):
        with pytest.raises(ValueError, match=r"^a text$"):
            read_text(value)
    for value in ("", "L", "SM", "s", None, 1, ["S"]):
        with pytest.raises(ValueError, match=r"^one of S, M$"):
            name_choice(value)


@pytest.mark.parametrize("end", [".0", ".12", ".0rc1", ".3+local", ".1.dev2"])
def test_a_version_is_one_of_those_whose_models_are_read_whatever_its_last_number(end):
    for version in VERSIONS:
        assert read_version(version + end) == version + end


@pytest.mark.parametrize(
    "value",
    ["", "0.1", "0.1.", "0.1.x", "0.10.0", "0.2.0", "1.1.0", "10.1.0", "v0.1.0", "0.1.0 x", 0.1, None, ["0.1.0"]],
)
def test_another_version_is_refused(value):
    with pytest.raises(ValueError, match=r"^a version of 0\.1$"):
        read_version(value)


@pytest.mark.parametrize(
    "value",
    ["student 0.5 2 bank -1 1e1", ["student", 0.5, 2, "bank", -1.0, "10"], ("student", "0.5", 2, "bank", -1, 10)],
)
def test_branches_are_triples_of_a_name_and_two_numbers(value):
    assert read_branches(value) == (Branch("student", Quantiles(0.5, 2.0)), Branch("bank", Quantiles(-1.0, 10.0)))
    assert read_branches(value[:0]) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("student", "a name"), ("student 1", "a name"), ("student 1 2 bank", "a name"), (["student", 1], "a name"),
     ([1, 2, 3], "a name"), (["student", 1, 2, 3, 4, 5], "a name"), ({"student": 1}, "a name"), (None, "a name"),
     (5, "a name"), ("student nan 1", "a finite number"), ("student 1 nan", "a finite number"),
     (["student", 1, True], "a finite number"), (["student", "low", 1], "a finite number")],
)  # fmt: skip
def test_branches_of_another_form_are_refused(value, expected):
    with pytest.raises(ValueError, match=f"^{expected}"):
        read_branches(value)


def test_words_of_a_text_and_values_of_a_list_are_told_apart():
    assert split(" a  b\n1 ") == ["a", "b", "1"]
    assert split([1, "a b"]) == [1, "a b"]
    assert split((1, 2)) == (1, 2)
    assert [split(value) for value in (None, 5, {"a": 1}, True)] == [[], [], [], []]
