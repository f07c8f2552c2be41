"""VisA: the published split decides, and masks hold the number of the kind of defect."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tiny_images import save_mask

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.visa import VisaProvider
from efficientad.errors import DataError

ANOMALY = Sample("Data/Images/Anomaly/001.JPG", "test", "anomaly")


def change_split(path: Path, old: str, new: str) -> None:
    file = path.parent / "split_csv/1cls.csv"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_the_published_split_decides(visa_path: Path):
    samples = VisaProvider(visa_path).list_samples()
    assert Counter((sample.split, sample.defect) for sample in samples) == {
        ("train", "good"): 5, ("test", "good"): 2, ("test", "anomaly"): 2,
    }  # fmt: skip
    names = [sample.name for sample in samples if sample.split == "train"]
    assert names == [f"Data/Images/Normal/{n:04d}.JPG" for n in range(5)]


def test_images_that_the_split_does_not_name_are_left_alone(visa_path: Path):
    change_split(visa_path, "candle,train,normal,candle/Data/Images/Normal/0003.JPG,\n", "")
    assert len(VisaProvider(visa_path).list_samples()) == 8


@pytest.mark.parametrize("number", [0, 1])
def test_every_kind_of_defect_in_a_mask_counts(visa_path: Path, number: int):
    expected = np.zeros((24, 30), bool)
    expected[4:10, 6:12] = True
    sample = Sample(f"Data/Images/Anomaly/{number:03d}.JPG", "test", "anomaly")
    np.testing.assert_array_equal(VisaProvider(visa_path).load_mask(sample), expected)


def test_an_anomaly_with_an_empty_mask_has_no_known_mask(visa_path: Path):
    save_mask(visa_path / "Data/Masks/Anomaly/001.png", level=0)
    assert VisaProvider(visa_path).load_mask(ANOMALY) is None


def test_a_mask_of_another_size_is_named(visa_path: Path):
    save_mask(visa_path / "Data/Masks/Anomaly/001.png", size=(24, 31))
    with pytest.raises(DataError, match=r"\(24, 30\), got \(24, 31\) in .*001\.png"):
        VisaProvider(visa_path).load_mask(ANOMALY)


def test_a_missing_split_says_where_it_is(visa_path: Path):
    (visa_path.parent / "split_csv/1cls.csv").unlink()
    with pytest.raises(DataError, match=r"split at .*1cls\.csv.*in the data set's archive, .*spot-diff"):
        VisaProvider(visa_path)


def test_missing_images_are_counted_and_named(visa_path: Path):
    for number in (1, 4):
        (visa_path / f"Data/Images/Normal/{number:04d}.JPG").unlink()
    with pytest.raises(DataError, match=r"the 9 images .* 2 are missing, such as Data/Images/Normal/0001\.JPG"):
        VisaProvider(visa_path)


def test_a_category_that_the_split_does_not_know_is_told_which_there_are(visa_path: Path):
    renamed = visa_path.rename(visa_path.parent / "candles")
    with pytest.raises(DataError, match=r"the object candles in .*, found candle, cashew; check the category"):
        VisaProvider(renamed)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("object,split", "object,part", "expected columns split, label"),
        ("candle,train,normal,candle/Data/Images/Normal/0003.JPG,", "candle,val,normal,a,", "val"),
        ("candle,train,normal,candle/Data/Images/Normal/0003.JPG,", "candle,train", "expected columns"),
        ("candle,train,normal,candle/Data/Images/Normal/0003.JPG,", "candle,train,normal,a.JPG,", "below candle/"),
        (",candle/Data/Masks/Anomaly/001.png", ",", "a mask for an anomaly alone"),
    ],
)
def test_a_split_that_is_not_as_published_is_refused(visa_path: Path, old: str, new: str, message: str):
    change_split(visa_path, old, new)
    with pytest.raises(DataError, match=message):
        VisaProvider(visa_path)
