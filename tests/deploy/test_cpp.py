"""The C++ program judges every image as Python does, and refuses the same files."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from changed_ir import change_metadata
from PIL import Image
from tiny_models import HEADER, SIDE

from efficientad.data.images.drawing import outline
from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image
from efficientad.data.images.resizing import resize_map
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.predictor import predict_image
from efficientad.errors import DataError

pytestmark = pytest.mark.slow

IR = "openvino/fp32/1/model.xml"
LOSSY = ("photo.jpg", "photo.webp")  # another version of a decoder may differ by a few levels


@pytest.fixture(scope="session")
def readable(tmp_path_factory):
    """A folder of every kind of file that is judged."""
    folder = tmp_path_factory.mktemp("readable")
    rng = np.random.default_rng(0)

    def draw(height: int, width: int, levels: int = 256) -> np.ndarray:
        return rng.integers(0, levels, (height, width, 3), dtype=np.uint16 if levels > 256 else np.uint8)

    for name, size in {
        "same": (SIDE, SIDE), "enlarged": (32, 48), "shrunk": (200, 130), "twice": (2 * SIDE, 2 * SIDE),
        "wide": (40, 300), "high": (300, SIDE),
    }.items():  # fmt: skip
        write_png(folder / f"{name}.png", draw(*size))
    write_png(folder / "grey.png", draw(90, 70)[..., 0])
    cv2.imwrite(str(folder / "deep.png"), draw(90, 70, 65536))
    cv2.imwrite(str(folder / "deep_grey.tif"), draw(90, 70, 65536)[..., 0])
    photo = cv2.resize(draw(12, 16), (160, 120), interpolation=cv2.INTER_CUBIC)
    for name in ("photo.bmp", "photo.tif", *LOSSY):
        Image.fromarray(photo).save(folder / name, quality=90)
    Image.fromarray(photo).convert("RGBA").save(folder / "opaque.png")
    Image.fromarray(photo).convert("P").save(folder / "palette.png")
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(photo).save(folder / f"turned_{orientation}.webp", exif=exif, lossless=True)
        Image.fromarray(photo).save(folder / f"turned_{orientation}.png", exif=exif)
    return folder


@pytest.fixture(scope="session")
def unreadable(tmp_path_factory):
    """A folder of every kind of file that is refused."""
    folder = tmp_path_factory.mktemp("unreadable")
    pixels = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    for suffix in ("png", "jpg", "tif", "bmp", "webp"):
        path = folder / f"cut.{suffix}"
        image.save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    image.save(folder / "flipped_bit.png")
    payload = bytearray((folder / "flipped_bit.png").read_bytes())
    payload[len(payload) // 2] ^= 1
    (folder / "flipped_bit.png").write_bytes(payload)
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("not an image")
    image.putalpha(128)
    image.save(folder / "transparent.png")
    image.convert("CMYK").save(folder / "print.jpg")
    Image.fromarray(pixels[..., 0].astype(np.float32)).save(folder / "float.tif")
    dark = (pixels.astype(np.uint16) * 16)[..., ::-1].copy()
    dark[0, 0] = 65535  # a hot pixel
    cv2.imwrite(str(folder / "twelve_bits.png"), dark)
    cv2.imwrite(str(folder / "ten_bits.tif"), dark[1:, :, 0] // 4)
    frames = [Image.fromarray(np.roll(pixels, step, axis=0)) for step in range(2)]
    for suffix in ("png", "webp", "tif"):
        frames[0].save(folder / f"film.{suffix}", save_all=True, append_images=frames[1:])
    return folder


@pytest.fixture(scope="session")
def engine(models):
    return load_engine(models / IR)


def test_scores_verdicts_and_heat_maps_are_pythons(build, models, engine, readable, tmp_path):
    files = sorted(readable.iterdir())
    records = build.judge(models, *files, "--heatmap-dir", tmp_path)
    assert [record["image"] for record in records] == [str(file) for file in files]
    assert len({round(record["score"], 5) for record in records}) > len(files) / 2  # order is visible
    for file, record in zip(files, records, strict=True):
        image = read_image(file)
        expected = predict_image(engine, image)
        tolerance = 1e-2 if file.name in LOSSY else 1e-4
        assert record["score"] == pytest.approx(expected.score, abs=tolerance), file.name
        assert record["threshold"] == HEADER.threshold
        assert record["display_score"] == pytest.approx(HEADER.scale_score(record["score"]), abs=2e-6)
        assert record["verdict"] == expected.verdict
        assert record["heat_map"] == f"{file.name}.png"
        heat_map = read_image(tmp_path / record["heat_map"]).astype(int)
        assert heat_map.shape == image.shape
        drawn = draw_heat_map(image, expected.anomaly_map, expected.threshold)
        apart = np.abs(heat_map - drawn).max(axis=-1) > (16 if file.name in LOSSY else 8)
        assert apart.mean() <= 0.01, file.name  # the line may run a pixel beside where a value is the threshold


def test_the_line_of_a_heat_map_is_pythons(build, models, engine, readable, tmp_path):
    """At this threshold the photo's regions are far larger than what is marked of them."""
    file, threshold = readable / "photo.bmp", 0.05
    model = change_metadata(models / IR, tmp_path, "image_threshold", str(threshold))
    build.judge(model, file, "--heatmap-dir", tmp_path)
    image = read_image(file)
    anomaly_map = predict_image(engine, image).anomaly_map
    expected = find_white(draw_heat_map(image, anomaly_map, threshold))
    resized = resize_map(anomaly_map, *image.shape[:2])
    around_all = find_white(outline(np.zeros_like(image), resized > threshold, (255, 255, 255)))
    allowed = 0.1 * expected.sum()  # where a value is half of the highest, the line may run a pixel beside
    assert (around_all != expected).sum() > 5 * allowed
    assert (find_white(read_image(tmp_path / "photo.bmp.png")) != expected).sum() <= allowed


def find_white(image: np.ndarray) -> np.ndarray:
    """The line's pixels (H, W): no colour of a heat map is white."""
    return (image == 255).all(axis=-1)


def test_one_image_alone_gets_the_score_that_it_gets_among_many(build, models, readable):
    files = sorted(readable.glob("*.png"))
    (alone,) = build.judge(models, files[2])
    assert alone["score"] == pytest.approx(build.judge(models, *files)[2]["score"], abs=1e-5)


def test_lines_are_those_of_efficientad_predict(build, models, engine, readable):
    file = readable / "wide.png"
    result = build.infer(models, file)
    assert (result.returncode, result.stderr) == (0, "")
    verdict, score, name = re.fullmatch(r"(.{9}) (.{8})  (.*)\n", result.stdout).groups()
    expected = predict_image(engine, read_image(file))
    assert (verdict.rstrip(), name) == (expected.verdict, str(file))
    assert float(score) == pytest.approx(expected.score, abs=2e-4)


def test_unreadable_files_are_skipped_for_pythons_reasons_and_the_others_judged(build, models, unreadable, readable):
    good, files = readable / "same.png", sorted(unreadable.iterdir())
    mixed = [good, *files, unreadable / "missing.png", good, good, unreadable / "empty.png", good]
    result = build.infer(models, *mixed, "--json")
    assert result.returncode == 3
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["image"] for record in records] == [str(file) for file in mixed]
    assert ["score" in record for record in records] == [file == good for file in mixed]
    assert result.stderr.count("skipped ") == len(mixed) - 4
    for record in records:
        if record["image"] != str(good):
            with pytest.raises(DataError) as error:
                read_image(Path(record["image"]))
            assert record["error"].split("(")[0] == str(error.value).split("(")[0]  # errno's number aside


def test_heat_maps_keep_the_folders_below_the_common_one(build, models, readable, tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(readable / "same.png", tmp_path / name)
    records = build.judge(models, tmp_path / "a/1.png", tmp_path / "b/1.png", f"--heatmap-dir={tmp_path / 'out'}")
    assert [record["heat_map"] for record in records] == ["a/1.png.png", "b/1.png.png"]
    assert (tmp_path / "out/b/1.png.png").is_file()


def test_the_arithmetic_can_be_chosen(build, models, readable):
    image = readable / "same.png"
    (record,) = build.judge(models, image, "--precision", "bf16")
    assert record["score"] == pytest.approx(
        predict_image(load_engine(models / IR, EngineOptions(precision="bf16")), read_image(image)).score, abs=1e-2
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a model and at least one image"),
        (["model"], "expected a model and at least one image"),
        (["model", "image", "--speed", "9"], "expected an option that exists, got --speed"),
        (["model", "image", "--precision", "int8"], "expected --precision f32, bf16 or f16, got int8"),
        (["model", "image", "--device"], "expected a value after --device"),
    ],
)
def test_wrong_usage_is_explained(build, arguments, message):
    result = build.infer(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: ")
    assert result.stderr.endswith(f"efficientad_infer: {message}\n")


def test_help_is_no_error(build):
    result = build.infer("--help")
    assert result.returncode == 0
    assert result.stdout.startswith("usage: efficientad_infer MODEL IMAGE...")


def test_raw_maps_are_python_s(build, models, readable, tmp_path):
    build.judge(models, readable / "wide.png", readable / "same.png", "--map-dir", tmp_path)
    engine = load_engine(models)
    for name in ("wide", "same"):
        raw_map = cv2.imread(str(tmp_path / f"{name}.png.tiff"), cv2.IMREAD_UNCHANGED)
        assert (raw_map.shape, raw_map.dtype) == ((SIDE, SIDE), np.float32)
        expected = predict_image(engine, read_image(readable / f"{name}.png")).anomaly_map
        assert np.abs(raw_map - expected).max() < 1e-4


def test_the_benchmark_times_a_model(build, models):
    timings = json.loads(build.run("efficientad_benchmark", models, 5).stdout)
    assert 0 < timings["p50_ms"] <= timings["p95_ms"]
    assert timings["images_per_s"] > 0
    assert build.run("efficientad_benchmark").returncode == 2
    for count in ("0", "-1", "nan", "inf", "1e99", "5x", "9" * 400):
        result = build.run("efficientad_benchmark", models, count)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("usage: efficientad_benchmark MODEL [IMAGES], a whole number from 1 to ")
    assert build.run("efficientad_benchmark", models / "absent.xml").returncode == 1


def test_the_example_judges_alone_and_by_the_queue(build, models, readable):
    files = [readable / f"{name}.png" for name in ("same", "wide", "shrunk", "enlarged")]
    first, *queued = build.run("judge", models, *files).stdout.splitlines()
    verdicts = [record["verdict"] for record in build.judge(models, *files)]
    assert first.startswith(f"{HEADER.category}: {verdicts[0]}, ")
    assert queued == verdicts
