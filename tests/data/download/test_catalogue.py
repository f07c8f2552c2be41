"""The table of data sets: whole, consistent, and agreed with what reads them."""

import re

import pytest

from efficientad.data.download.catalogue import DATASETS, MAGNETIC_TILE, MVTEC, MVTEC_LOCO

LENGTHS = {"sha256": 64, "md5": 32}


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_data_set_can_be_checked_and_its_licence_is_told(dataset):
    assert dataset.checksum or dataset.tree_id
    if dataset.checksum:
        assert re.fullmatch(f"[0-9a-f]{{{LENGTHS[dataset.checksum.kind]}}}", dataset.checksum.value)
    assert dataset.licence
    assert dataset.citation
    assert dataset.page.startswith("https://")
    assert dataset.address.startswith("https://")
    assert "/" not in dataset.file


def test_names_of_folders_differ_so_that_sets_can_lie_side_by_side():
    tops = [{folder.split("/")[0] for folder in dataset.folders} for dataset in DATASETS.values()]
    assert len(set.union(*tops)) == sum(len(names) for names in tops)
    assert len({dataset.file for dataset in DATASETS.values()}) == len(DATASETS)


def test_the_numbers_of_categories_are_the_published_ones():
    assert (len(MVTEC.folders), len(MVTEC_LOCO.folders), len(DATASETS["visa"].folders) - 1) == (15, 5, 12)
    assert len(MAGNETIC_TILE.folders) == 6
