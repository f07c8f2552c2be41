"""A header comes back from text and from JSON as it was, and shows a score as the station does."""

import json
from dataclasses import replace

import pytest
from tiny_models import HEADER

from efficientad.errors import ModelError
from efficientad.model.branch import Branch, Quantiles
from efficientad.model.header import ModelHeader, flatten_branches, list_names

NAMES = [
    "size", "image_size", "category", "threshold", "false_alarm_rate", "display_scale", "training_data", "version",
]  # fmt: skip
WIDE = replace(HEADER, image_size=(256, 512))  # height, width


def write_text(values):
    """As an exported model has them: lists as words."""
    return {key: " ".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in values.items()}


@pytest.mark.parametrize("header", [WIDE, replace(WIDE, branches=(), code_hash="", threshold_policy="margin")])
def test_a_header_comes_back_from_json_and_from_text(header):
    values = header.describe()
    assert ModelHeader.parse(json.loads(json.dumps(values)), "here") == header
    assert ModelHeader.parse(write_text(values), "here") == header


def test_numbers_are_numbers_and_sides_come_as_height_and_width():
    found = ModelHeader.parse(write_text(WIDE.describe()), "here")
    assert found.image_size == (256, 512)
    assert [type(side) for side in found.image_size] == [int, int]
    for name in ("threshold", "false_alarm_rate", "display_scale"):
        assert isinstance(getattr(found, name), float)
        assert getattr(found, name) == getattr(HEADER, name)


def test_branches_are_triples_of_name_low_and_high():
    branches = (Branch("student", Quantiles(0.5, 2.25)), Branch("autoencoder", Quantiles(0.25, 1.5)))
    assert flatten_branches(branches) == ["student", 0.5, 2.25, "autoencoder", 0.25, 1.5]
    assert ModelHeader.parse(replace(WIDE, branches=branches).describe(), "here").branches == branches


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named_and_what_has_a_default_is_not_needed(name):
    values = HEADER.describe()
    assert set(NAMES) < set(list_names())
    del values[name]
    with pytest.raises(ModelError, match=rf"expected '{name}' in the metadata of model\.xml"):
        ModelHeader.parse(values, "model.xml")


@pytest.mark.parametrize("length", [5, 59, 60, 61, 5000])
def test_an_impossible_value_is_shown_whole_or_as_sixty_characters_with_dots(length):
    value = "".join(chr(ord("a") + place % 26) for place in range(length))
    with pytest.raises(ModelError, match="expected a finite number as 'threshold' in the metadata of here") as error:
        ModelHeader.parse(HEADER.describe() | {"threshold": value}, "here")
    shown = value if length <= 60 else value[:57] + "..."
    assert f", got '{shown}'; export it again" in str(error.value)


def test_what_a_model_had_not_yet_has_a_default():
    values = {name: value for name, value in HEADER.describe().items() if name in NAMES}
    assert ModelHeader.parse(values, "here") == replace(HEADER, code_hash="", threshold_policy="rate", branches=())


def test_names_of_others_are_passed_over():
    assert ModelHeader.parse(HEADER.describe() | {"model_type": "x", "labels": "a b"}, "here") == HEADER


@pytest.mark.parametrize(
    ("score", "shown"),
    [(0.31, 0.5), (0.31 + 0.4 / 4, 0.75), (0.31 - 0.4 / 4, 0.25), (0.51, 1.0), (0.11, 0.0), (9.0, 1.0), (-9.0, 0.0),
     (0.31 + 0.4 / 3, 0.833333)],
)  # fmt: skip
def test_a_score_is_shown_from_0_to_1_and_half_at_the_threshold(score, shown):
    """threshold 0.31, scale 0.4; six digits."""
    assert HEADER.scale_score(score) == pytest.approx(shown, abs=1e-12)
