"""What several tests of the station share."""

import pytest
from image_folder import draw_folder

from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine


@pytest.fixture
def folder(tmp_path):
    draw_folder(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture(scope="session")
def engine(models):
    """The engine of the folder's FP32 model, for many images."""
    return load_engine(models, EngineOptions(hint="THROUGHPUT"))
