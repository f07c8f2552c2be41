"""The soak test sees memory that grows and handles that stay open."""

import sys

import pytest
from soak import Look, counter, draw_images, name_image, summarise_looks, watch

from efficientad.data.images.reading import read_image
from efficientad.errors import EfficientADError

LEAK = """
import sys, time
kept = []
with open(sys.argv[1], "w", buffering=1) as file:
    for index in range(40):
        kept += [bytearray(b"x" * 400_000), open(sys.argv[0] if sys.argv[0] != "-c" else sys.executable)]
        print("{}", file=file)
        time.sleep(0.25)  # a tenth lasts a second, in which a busy machine looks once
"""


def test_a_program_that_keeps_memory_and_files_is_seen(tmp_path):
    looks = watch([sys.executable, "-c", LEAK, str(tmp_path / "lines")], counter(tmp_path / "lines"))
    found = summarise_looks(looks, 40)
    assert found["rss_growth"] > 0.2
    assert found["handles"] > 20


def test_a_program_that_fails_is_an_error_with_its_last_words():
    with pytest.raises(EfficientADError, match=r"got code 1: \['ValueError: enough'\]"):
        watch([sys.executable, "-c", "raise ValueError('enough')"], lambda: 0)


def test_too_few_looks_are_no_result():
    with pytest.raises(EfficientADError, match="judge more images"):
        summarise_looks([Look(5, 1, 1)], 100)


def test_every_name_is_an_image(tmp_path):
    folder = draw_images(tmp_path / "images", 70)
    assert len(list(folder.rglob("*.png"))) == 70
    assert (read_image(name_image(folder, 69)) == read_image(name_image(folder, 5))).all()
    assert (read_image(name_image(folder, 5)) != read_image(name_image(folder, 6))).any()
