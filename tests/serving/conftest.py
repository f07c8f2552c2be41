import pytest
from running_server import load, run_station, write_scores


@pytest.fixture(scope="session")
def folder(models, tmp_path_factory):
    """The folder of `models` with a table of scores, as the pipeline leaves it."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "openvino").symlink_to(models / "openvino")
    write_scores(folder / "scores.csv")
    return folder


@pytest.fixture(scope="session")
def loaded(folder, models):
    """Two models: `washer`, which has scores of good images, and `other`."""
    return load(str(folder), f"other={models}")


@pytest.fixture(scope="session")
def client(loaded):
    with run_station(loaded) as client:
        yield client
