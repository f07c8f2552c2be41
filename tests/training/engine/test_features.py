import os
import re

import numpy as np
import pytest
import torch

from efficientad.errors import DataError
from efficientad.training.engine.features import FeatureFile, write_features

FEATURES = torch.randn(11, 5, 3, 4, generator=torch.Generator().manual_seed(0))


def build_file(folder, dtype=torch.float32, kept=11):
    return FeatureFile(folder / "features.bin", (5, 3, 4), dtype, kept)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_rows_come_back_in_the_files_precision_with_channels_last(tmp_path, dtype):
    file = build_file(tmp_path, dtype)
    write_features(lambda rows: FEATURES[rows], 11, 4, file)
    for index, features in enumerate(FEATURES):
        row = file.read(index)
        assert torch.equal(row, features.to(dtype))
        assert row[None].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kept", [0, 3, 11])
def test_statistics_are_of_all_images_however_few_are_kept(tmp_path, kept):
    file = build_file(tmp_path, kept=kept)
    mean, std = write_features(lambda rows: FEATURES[rows], 11, 4, file)
    values = FEATURES.double().numpy()
    assert mean.flatten().numpy() == pytest.approx(values.mean(axis=(0, 2, 3)), abs=1e-6)
    assert std.flatten().numpy() == pytest.approx(values.std(axis=(0, 2, 3)), abs=1e-6)
    assert file.path.stat().st_size == kept * file.row_bytes


def test_a_pass_that_was_interrupted_goes_on_and_a_complete_one_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr("efficientad.training.engine.features._MARK_EVERY", 0.0)
    seen = []

    def compute(rows):
        seen.append(rows)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return FEATURES[rows]

    file = build_file(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_features(compute, 11, 2, file)
    with file.path.open("ab") as handle:
        handle.write(b"half a row")
    interrupted = write_features(compute, 11, 2, file)
    assert seen[3].start == 4  # two batches were done
    again = write_features(compute, 11, 2, file)
    assert seen[-1].stop == 11
    (tmp_path / "whole").mkdir()
    whole = write_features(lambda rows: FEATURES[rows], 11, 2, build_file(tmp_path / "whole"))
    for resumed, repeated, uninterrupted in zip(interrupted, again, whole, strict=True):
        assert torch.equal(resumed, repeated)
        assert torch.equal(resumed, uninterrupted)
    rows = np.stack([file.read(index).numpy() for index in range(11)])
    assert np.array_equal(rows, FEATURES.numpy())


@pytest.mark.parametrize("damage", ["file cut short", "file gone", "mark cut short", "mark of nothing"])
def test_a_damaged_pass_is_told_and_computed_anew(tmp_path, capsys, damage):
    file = build_file(tmp_path)
    whole = write_features(lambda rows: FEATURES[rows], 11, 4, file)
    mark = tmp_path / "features.mark"
    if damage == "file cut short":
        file.path.write_bytes(file.path.read_bytes()[:-1])
    elif damage == "file gone":
        file.path.unlink()
    else:
        mark.write_bytes(mark.read_bytes()[:100] if damage == "mark cut short" else b"")
    seen = []
    again = write_features(lambda rows: seen.append(rows) or FEATURES[rows], 11, 4, file)
    assert [rows.start for rows in seen] == [0, 4, 8]
    assert re.search(r"^warning: expected .*; the features are computed anew$", capsys.readouterr().out, re.MULTILINE)
    assert all(torch.equal(first, second) for first, second in zip(whole, again, strict=True))
    assert np.array_equal(np.stack([file.read(index).numpy() for index in range(11)]), FEATURES.numpy())


def test_a_row_that_is_cut_short_is_refused_and_not_filled_up(tmp_path):
    file = build_file(tmp_path)
    write_features(lambda rows: FEATURES[rows], 11, 4, file)
    file.path.write_bytes(file.path.read_bytes()[:-1])
    assert torch.equal(file.read(9), FEATURES[9])
    with pytest.raises(DataError, match="10 is cut short"):
        file.read(10)


def test_the_features_and_what_belongs_to_them_are_on_the_disk_before_the_mark_says_so(tmp_path, monkeypatch):
    file, order = build_file(tmp_path), []
    fsync = os.fsync
    monkeypatch.setattr("os.fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    write_features(lambda rows: FEATURES[rows], 11, 4, file, sync=lambda: order.append("sync"))
    assert order == ["fsync", "sync", "fsync", "fsync"]  # the features, the rest; the mark and its folder
