"""Names for a terminal, and names of files that are made from images."""

import hashlib
import os

import pytest

from efficientad.data.files.names import MOST_BYTES, name_product
from efficientad.pipeline.printable import make_printable, write_line

LONG = "x" * 255


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07.png", "a\nb.png", "\udcff.png", "\u202egnp.exe", "\x9b2J.png"])
def test_what_a_terminal_would_obey_is_written_out(name):
    written = make_printable(name)
    assert written.isprintable()
    assert written.encode("utf-8")
    assert len(written) > len(name)


def test_names_in_any_script_and_with_quotes_stay():
    for name in ("Prüfling 7.png", "部品.png", 'it\'s "7".png'):
        assert make_printable(name) == name


def test_an_error_is_one_line():
    assert write_line("expected\n\n  a model\x1b[0m") == "expected a model\\x1b[0m"


@pytest.mark.parametrize("image", [LONG, "ü" * 127, "部" * 85, "\udcff" * 255, "y" * 237, LONG[:-4] + ".png"])
def test_a_long_name_fits_the_file_system(image, tmp_path):
    name = name_product(image, ".png")
    assert len(os.fsencode(name)) <= MOST_BYTES
    assert name.endswith(".png")
    (tmp_path / f".{name}.part").touch()
    (tmp_path / name).touch()


def test_a_name_of_whole_characters_is_cut_between_them():
    assert os.fsencode(name_product("部" * 85, ".png")).decode("utf-8")


def test_names_that_fit_and_folders_stay():
    assert name_product("line 1/a.jpg", ".tiff") == "line 1/a.jpg.tiff"
    longest = "z" * (MOST_BYTES - 4)
    assert name_product(longest, ".png") == f"{longest}.png"
    assert name_product(f"line/{LONG}", ".png").startswith("line/xxxx")


def test_no_two_images_share_a_name():
    """Long names that differ in their ends, and a short one that is what a long one is cut to."""
    cut = name_product(LONG, ".png").removesuffix(".png")
    images = [LONG, LONG[:-1] + "y", cut, name_product(cut, ".png").removesuffix(".png"), "x"]
    assert len({name_product(image, ".png") for image in images}) == len(images)
    assert name_product(cut, ".png") != name_product(LONG, ".png")


def test_the_hash_is_the_beginning_of_sha_256():
    """Of the last part, as `sha256sum` has it; a name that looks shortened gets it at its end."""
    looks_shortened = "part~0123456789abcdef"
    digits = hashlib.sha256(looks_shortened.encode()).hexdigest()
    assert name_product(f"line/{looks_shortened}", ".png") == f"line/{looks_shortened}~{digits[:16]}.png"
