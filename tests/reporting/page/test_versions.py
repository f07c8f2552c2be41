"""Hashes that lead back to data and model."""

import hashlib

import pytest

from efficientad.errors import DataError
from efficientad.reporting.page.versions import hash_file, hash_images, list_versions


def test_images_are_named_whatever_their_order():
    assert hash_images(["b", "a"]) == hash_images(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()


def test_a_file_has_the_md5_of_dvc_lock(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * (2**20 + 3))
    assert hash_file(tmp_path / "file") == hashlib.md5(b"x" * (2**20 + 3)).hexdigest()
    with pytest.raises(DataError, match="run the stage that writes it again"):
        hash_file(tmp_path / "none")


def test_the_versions_are_those_of_the_models_header(sources):
    versions = list_versions(sources)
    assert (versions.training_data, versions.header.code_hash) == ("0123abcd", "4567ef")
    assert versions.splits == {"validation": 24, "test": 30}
    assert versions.native_sizes == ["90 × 70"]
