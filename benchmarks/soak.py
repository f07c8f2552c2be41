"""Judges for a long time and looks at memory, open files and latency: docs/reliability/soak.json.

    python benchmarks/soak.py [--model models/L/washer/0/openvino/int8] [--images 20000] [--single 10000]

`efficientad predict` runs as a process of its own over a folder of that many names (64 drawn images of 512 px, each
linked many times), then another one judges single images by the Python API, as README shows it. Both are watched from
outside, through Linux's /proc. The first tenth is the warm-up. It exits with code 1 where memory grows by 2 % or more
after it, or a handle stays open. Stop other programs: they make single images late.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, NamedTuple

import numpy as np
from timing import describe_machine

from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.images.encoding import write_png
from efficientad.errors import EfficientADError
from efficientad.pipeline.stage import write_json

FIGURES = Path("docs/reliability/soak.json")
MODEL = Path("models/L/washer/0/openvino/int8")
SIDE, DISTINCT = 512, 64
WARM_UP = 0.1  # of the images
MOST_GROWTH = 0.02
EVERY_S = 0.5  # between two looks


class Look(NamedTuple):
    """A process as it is after so many images: its memory in bytes, and its open files and sockets."""

    images: int
    rss: int
    handles: int


def main() -> None:
    """Measure both, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL, help="default: %(default)s")
    parser.add_argument("--images", type=int, default=20_000, help="of `predict`; default: %(default)s")
    parser.add_argument("--single", type=int, default=10_000, help="single inferences; default: %(default)s")
    parser.add_argument("--output", type=Path, default=FIGURES, help="default: %(default)s")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        images = draw_images(Path(scratch) / "images", options.images)
        many = soak_predict(options.model, images, Path(scratch) / "predictions", options.images)
        single = soak_single(options.model, images, Path(scratch) / "milliseconds", options.single)
    figures = {
        "images": many["images"] + single["images"],
        "rss_growth": max(many["rss_growth"], single["rss_growth"]),
        "p99_over_p50": single["p99_over_p50"],
        "handles": max(many["handles"], single["handles"]),
    }
    about = {
        "machine": describe_machine(),
        "model": options.model.as_posix(),
        "pixels": [SIDE, SIDE],
    }
    write_json(options.output, {"soak": figures, "predict": many, "single": single, **about})
    print(json.dumps(figures))
    if figures["rss_growth"] >= MOST_GROWTH or figures["handles"] > 0:
        sys.exit(f"soak: expected memory to grow by less than {MOST_GROWTH:.0%} and no handle to stay, got {figures}")


def draw_images(folder: Path, count: int) -> Path:
    """Write grained surfaces under `count` names, a thousand a folder; names beyond the first 64 are links of these."""
    rng = np.random.default_rng(0)
    broad = 120 + 20 * smooth_noise(rng, (SIDE, SIDE), 100)
    for index in range(count):
        file = name_image(folder, index)
        file.parent.mkdir(parents=True, exist_ok=True)
        if index < DISTINCT:
            surface = np.roll(broad, 8 * index, axis=1) + rng.normal(0, 3, (SIDE, SIDE))
            write_png(file, np.repeat(surface.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))
        else:
            os.link(name_image(folder, index % DISTINCT), file)
    return folder


def name_image(folder: Path, index: int) -> Path:
    """Return the file of an image."""
    return folder / f"{index // 1000:03}" / f"{index % 1000:03}.png"


def soak_predict(model: Path, images: Path, output: Path, count: int) -> dict[str, Any]:
    """Run `efficientad predict`; return the figures of `summarise_looks`, and images per second."""
    command = ["predict", images, "--model", model, "--output", output]
    begin = time.monotonic()
    looks = watch([sys.executable, "-m", "efficientad.cli", *map(str, command)], counter(output / "predictions.jsonl"))
    return summarise_looks(looks, count) | {"images_per_s": round(count / (time.monotonic() - begin), 1)}


def soak_single(model: Path, images: Path, times: Path, count: int) -> dict[str, Any]:
    """Judge images one at a time by the Python API, in another process; as `soak_predict`, with percentiles in ms."""
    looks = watch([sys.executable, __file__, "--judge", *map(str, (model, images, times, count))], counter(times))
    values = np.loadtxt(times)[round(WARM_UP * count) :]
    p50, p99 = np.percentile(values, [50, 99])
    return summarise_looks(looks, count) | {
        "p50_ms": round(float(p50), 2), "p99_ms": round(float(p99), 2), "p99_over_p50": round(float(p99 / p50), 3),
    }  # fmt: skip


def judge_single(model: Path, images: Path, times: Path, count: int) -> None:
    """Read and judge images one at a time; write the milliseconds of each, a line."""
    from efficientad.data.images.reading import read_image
    from efficientad.deploy.engines.load import load_engine
    from efficientad.deploy.predictor import predict_image

    engine = load_engine(model)
    with times.open("w", encoding="utf-8", buffering=1) as file:
        for index in range(count):
            begin = time.perf_counter()
            predict_image(engine, read_image(name_image(images, index % DISTINCT)))
            file.write(f"{(time.perf_counter() - begin) * 1000:.3f}\n")


def watch(command: Sequence[str], count_done: Callable[[], int]) -> list[Look]:
    """Run a program to its end; return how it looked every half second. EfficientADError where it fails."""
    looks = []
    with TemporaryFile("w+") as words, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words) as running:
        while running.poll() is None:
            looks += look_at(running.pid, count_done())
            time.sleep(EVERY_S)
        words.seek(0)
        last = words.read().splitlines()[-1:]
    if running.returncode:
        raise EfficientADError(f"expected {command[1:3]} to judge all images, got code {running.returncode}: {last}")
    return looks


def look_at(process: int, images: int) -> list[Look]:
    """Return how a process looks; nothing where it ends just now."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
        return [Look(images, pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path(f"/proc/{process}/fd").iterdir())))]
    except (OSError, IndexError):
        return []


def counter(file: Path) -> Callable[[], int]:
    """Return what counts the lines of a file that grows, each read once."""
    state = {"at": 0, "lines": 0}

    def count() -> int:
        if file.is_file():
            with file.open("rb") as opened:
                opened.seek(state["at"])
                new = opened.read()
            state["at"] += len(new)
            state["lines"] += new.count(b"\n")
        return state["lines"]

    return count


def summarise_looks(looks: Sequence[Look], count: int) -> dict[str, Any]:
    """Return megabytes after the warm-up and at the end, the growth between, and how many more handles are open.

    Each is the median of a tenth of the images: the second one, and the last.

    >>> summarise_looks([Look(9, 5, 9), Look(15, 1_000_000, 7), Look(50, 2_000_000, 8), Look(95, 1_010_000, 7)], 100)
    {'images': 100, 'rss_mb': [1.0, 1.0], 'rss_growth': 0.01, 'handles': 0}
    """
    begin = [look for look in looks if WARM_UP * count <= look.images < 2 * WARM_UP * count]
    end = [look for look in looks if (1 - WARM_UP) * count <= look.images < count]
    if not begin or not end:
        raise EfficientADError(f"expected looks at each tenth of {count} images, got {len(looks)}; judge more images")
    rss = [median(look.rss for look in part) for part in (begin, end)]
    handles = [median(look.handles for look in part) for part in (begin, end)]
    return {
        "images": count,
        "rss_mb": [round(value / 1e6, 1) for value in rss],
        "rss_growth": round(rss[1] / rss[0] - 1, 4),
        "handles": int(handles[1] - handles[0]),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge_single(Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
