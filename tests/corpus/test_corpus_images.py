"""Every file of the corpus at each place where images are read: training, test, photographs, the station."""

import csv
import io
import json

import numpy as np
import pytest
import yaml
from damage import ANY, READ, REFUSED, draw, list_damaged, list_wrong_suffixes
from odd_images import list_odd
from products import product
from runs import SilentAcceptanceError, run_command, run_stage_script, write_tree

from efficientad.data.images.reading import read_image
from efficientad.errors import DataError

FILES = [*list_damaged(), *list_wrong_suffixes(), *list_odd()]
NAMES = {file.name: file for file in FILES}
UNUSUAL = [file for file in FILES if file.expected != ANY]


@pytest.mark.again
def test_no_two_files_share_a_name():
    assert len(NAMES) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_image_is_read_as_it_was_drawn_or_refused_by_its_name(file, tmp_path):
    path = tmp_path / file.name
    path.write_bytes(file.payload)
    try:
        image = read_image(path)
    except DataError as error:
        assert file.expected != READ, error
        assert file.name in str(error)
        assert "\n" not in str(error)
        assert file.says in str(error), error
        return
    if file.expected == REFUSED:
        raise SilentAcceptanceError(f"{file.name} was read as {image.shape}")
    assert image.dtype == np.uint8
    if file.pixels is not None and not np.array_equal(image, file.pixels):
        raise SilentAcceptanceError(f"{file.name} was read with other pixels")


def test_all_eight_orientations_show_the_same_upright_image(tmp_path):
    for turn in range(1, 9):
        (tmp_path / f"{turn}.jpg").write_bytes(NAMES[f"exif{turn}.jpg"].payload)
        found = read_image(tmp_path / f"{turn}.jpg").astype(int)
        assert np.abs(found - draw(24)).mean() < 3, turn


@pytest.fixture
def many(project):
    """The whole corpus among the good images, among the defects, and among the photographs."""
    everything = {file.name: file.payload for file in FILES}
    write_tree(project / "raw/part", product())
    for folder in ("raw/part/good", "raw/part/crack", "photographs"):
        write_tree(project / folder, everything)
    return project


@pytest.mark.again
def test_prepare_names_every_image_that_it_cannot_read_and_no_other(many):
    for place in ("good", "crack"):  # masks are matched by the image's name without its suffix
        for path in (many / "raw/part" / place).iterdir():
            path.rename(path.with_name(path.name.replace(".", "_", path.name.count(".") - 1)))
    run_stage_script("prepare", "part").check_refused(r"(?s)^.*DataError: expected images and masks that can be used")
    refused = {one["file"] for one in json.loads((many / "metrics/prepare/part/files.json").read_text())["refused"]}
    for place in ("good", "crack"):
        for file in UNUSUAL:
            name = file.name.replace(".", "_", file.name.count(".") - 1)
            if (f"{place}/{name}" in refused) != (file.expected == REFUSED):
                raise SilentAcceptanceError(f"{place}/{name}: expected {file.expected}")


@pytest.mark.again
def test_pretraining_leaves_out_every_photograph_that_it_cannot_read_and_no_other(many, params_text):
    tree = yaml.safe_load(params_text)
    tree["pretraining"]["count"] = len(FILES)
    (many / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    run_stage_script("pretraining").check_accepted()
    manifest = json.loads((many / "data/pretraining/manifest.json").read_text("utf-8"))
    used = {row["name"] for row in manifest["rows"]}
    assert used | {one["file"] for one in manifest["left_out"]} == {*NAMES}
    for file in UNUSUAL:
        if (file.name in used) != (file.expected == READ):
            raise SilentAcceptanceError(f"{file.name}: expected {file.expected}")


@pytest.mark.parametrize("place", ["good/broken.png", "crack/0.png", "masks/crack/0.png"])
@pytest.mark.parametrize("damage", ["emptied", "cut_at_50", "flipped_at_60", "zeroed"])
def test_a_damaged_file_alone_stops_prepare_with_its_name(project, place, damage):
    write_tree(project / "raw/part", product() | {place: NAMES[f"png-{damage}.png"].payload})
    run_stage_script("prepare", "part").check_refused("DataError: ", f"cannot read .*{place}: the file")


@pytest.mark.again
def test_check_names_every_image_that_it_cannot_read(many, tmp_path):
    outcome = run_command("check", many / "raw/part", "--output", tmp_path / "found")
    outcome.check_no_traceback()
    assert outcome.code == 3
    report = json.loads(next((tmp_path / "found").glob("*.json")).read_text("utf-8"))
    (broken,) = (finding for finding in report["findings"] if finding["key"] == "broken_image")
    named = {name.split(": ")[0] for name in broken["names"]}
    assert {f"good/{file.name}" for file in FILES if file.expected == REFUSED} <= named


@pytest.fixture(scope="module")
def judged(models, tmp_path_factory):
    """What `predict` says of the whole corpus: records by name."""
    folder = tmp_path_factory.mktemp("station")
    write_tree(folder / "images", {file.name: file.payload for file in FILES})
    outcome = run_command("predict", folder / "images", "--model", models, "--output", folder / "out")
    outcome.check_no_traceback()
    assert outcome.code == 3
    lines = (folder / "out/predictions.jsonl").read_text("utf-8").splitlines()
    table = list(csv.DictReader(io.StringIO((folder / "out/predictions.csv").read_text("utf-8"))))
    assert len(lines) == len(table) == len(FILES)
    return {record["image"]: record for record in map(json.loads, lines)}


@pytest.mark.again
def test_the_station_judges_what_can_be_read_and_skips_the_rest_by_name(judged):
    for file in UNUSUAL:
        if ("error" in judged[file.name]) != (file.expected == REFUSED):
            raise SilentAcceptanceError(f"{file.name}: expected {file.expected}, got {judged[file.name]}")
    scores = [record["score"] for record in judged.values() if "error" not in record]
    assert np.isfinite(scores).all()


def test_copies_in_other_formats_without_loss_get_the_same_score(judged):
    names = (
        "png-as.bmp",
        "tiff-as.png",
        "tiff_lzw-as.jpg",
        "tiff_deflate-as.png",
        "webp_lossless-as.bmp",
        "bmp-as.jpg",
    )
    assert len({judged[name]["score"] for name in names}) == 1
