"""Checksums against those that other programs give."""

import subprocess

import pytest

from efficientad.data.download.checksums import Checksum, compute_checksum, compute_tree_id, matches


@pytest.mark.parametrize(
    ("kind", "value"),  # as md5sum, sha256sum and `git hash-object` print them
    [
        ("md5", "b1946ac92492d2347c6235b4d2611184"),
        ("sha256", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"),
        ("blob_id", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ],
)
def test_a_checksum_is_that_of_the_usual_programs_in_any_case(tmp_path, kind, value):
    (tmp_path / "a").write_bytes(b"hello\n")
    seen = []
    assert compute_checksum(tmp_path / "a", kind, lambda *step: seen.append(step)) == value
    assert seen == [(6, 6)]
    assert matches(tmp_path / "a", Checksum(kind, value.upper()))
    assert not matches(tmp_path / "a", Checksum(kind, value[::-1]))


def test_a_folders_id_is_gits(tmp_path):
    for name in ("a/x.txt", "a/b/y.txt", "a.txt", "a-b/z.txt", "ä.txt"):  # git orders a folder as if "/" ended its name
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    computed = compute_tree_id(tmp_path)

    def git(*words):
        return subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("-c", "core.autocrlf=false", "add", ".")
    assert computed == git("write-tree")
