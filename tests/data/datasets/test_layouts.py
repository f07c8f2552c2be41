"""A folder of another layout than the one asked for is refused with the provider that fits it."""

from dataclasses import replace
from pathlib import Path

import pytest

from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.layouts import find_layout
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.mvtec_3d import MVTec3DProvider
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.data.datasets.registry import build_provider
from efficientad.data.datasets.visa import VisaProvider
from efficientad.errors import DataError
from efficientad.pipeline.params_file import load_params

PROVIDERS = {
    "mvtec": MVTecProvider,
    "mvtec_loco": MVTecLocoProvider,
    "mvtec_3d": MVTec3DProvider,
    "visa": VisaProvider,
    "magnetic_tile": MagneticTileProvider,
    "folder": FolderProvider,
}
FIXTURES = {"mvtec_loco": "loco_path", "magnetic_tile": "tile_path"}
UNITED = ("mvtec", "mvtec_loco")  # MVTec AD's provider takes MVTec LOCO, and unites its masks


def _path(request: pytest.FixtureRequest, layout: str) -> Path:
    return request.getfixturevalue(FIXTURES.get(layout, f"{layout}_path"))


@pytest.mark.parametrize("layout", PROVIDERS)
def test_each_layout_is_recognised(request: pytest.FixtureRequest, layout: str):
    assert find_layout(_path(request, layout)) == layout


def test_an_unknown_folder_is_not_recognised(tmp_path: Path):
    assert find_layout(tmp_path) is None


@pytest.mark.parametrize("asked", ["mvtec", "mvtec_loco", "mvtec_3d", "visa"])
@pytest.mark.parametrize("layout", PROVIDERS)
def test_another_layout_is_refused_with_the_one_it_looks_like(request: pytest.FixtureRequest, layout: str, asked: str):
    path = _path(request, layout)
    if asked == layout or (asked, layout) == UNITED:
        assert PROVIDERS[asked](path).list_samples()
    else:
        with pytest.raises(DataError, match=rf"^expected .*it looks like data\.provider: {layout}, so set that$"):
            PROVIDERS[asked](path)


@pytest.mark.parametrize("asked", ["mvtec", "mvtec_loco", "mvtec_3d", "visa"])
def test_a_root_too_low_or_too_high_is_noticed(request: pytest.FixtureRequest, asked: str):
    category = _path(request, asked)
    with pytest.raises(DataError, match=rf"check data\.root: .*{category.name} looks like a category itself"):
        PROVIDERS[asked](category / category.name)
    above = category.parent.parent
    with pytest.raises(DataError, match=rf"looks like the category, so data\.root is .*{category.parent.name}$"):
        PROVIDERS[asked](above / category.name)


def test_a_category_of_another_data_set_is_no_hint(mvtec_path: Path):
    with pytest.raises(DataError, match=r"check data\.root and the category, or use the folder provider"):
        MVTec3DProvider(mvtec_path.parent.parent / mvtec_path.name)


def test_a_folder_that_is_nowhere_gives_the_general_advice(tmp_path: Path):
    with pytest.raises(DataError, match=r"check data\.root and the category, or use the folder provider"):
        VisaProvider(tmp_path / "nowhere" / "candle")


@pytest.mark.parametrize("layout", ["mvtec", "mvtec_loco", "mvtec_3d", "visa", "magnetic_tile", "folder"])
def test_params_name_the_provider(request: pytest.FixtureRequest, layout: str):
    path, params = _path(request, layout), load_params()
    data = replace(params.data, provider=layout, root=str(path.parent))
    assert type(build_provider(path.name, data, params.synthetic, params.elpv)) is PROVIDERS[layout]
