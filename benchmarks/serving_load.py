"""Puts `efficientad serve` under load: docs/serving.json, and the figures in docs/serving.md.

    python benchmarks/serving_load.py models/L/washer/0 [--images 10000] [--malformed 1000] [--minutes 30]

starts the server of one model as its own process, and sends images as PNG of 1,024 x 1,024 px: a tenth of them one at a
time, the others by several clients, each with the next image as soon as it has an answer. Then come malformed uploads:
cut, with altered bytes, of a few bytes alone. Stop other programs: they take the same processor. --minutes ends the
images early; the figures say how many there were. Without arguments it only renders the page.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import httpx
import numpy as np
from timing import describe_machine

from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.deploy.timing import summarise
from efficientad.errors import DataError
from efficientad.pipeline.stage import read_json, write_json

FIGURES, PAGE = Path("docs/serving.json"), Path("docs/serving.md")
BEGIN = "<!-- Figures: written by benchmarks/serving_load.py, do not edit -->"
END = "<!-- End of the figures -->"
SIDE, DISTINCT = 1024, 8  # px of the images, and how many different ones there are
ALONE, CLIENTS = 1, 4
WARM_UP = 20
FORMATS = (".png", ".jpg", ".tif", ".bmp", ".webp")  # of what is torn
TIMEOUT_S = 120


class Answers(NamedTuple):
    """What came back: HTTP statuses with their number, milliseconds of each answer, seconds in all."""

    statuses: Counter[int]
    milliseconds: list[float]
    seconds: float


def measure_load(model: Path, images: int, malformed: int, minutes: float) -> dict[str, Any]:
    """Return the figures of docs/serving.json.

    machine, model, pixels; `clients`: for each number of clients, images, images_per_s and percentiles in ms;
    `memory_mb`: of the server, after the warm-up, the images and the malformed uploads; `malformed`: number by HTTP
    status.
    """
    deadline = time.monotonic() + 60 * minutes
    payloads = draw_payloads([".png"] * DISTINCT)
    memory: dict[str, float] = {}
    clients: dict[str, Any] = {}
    with run_server(model) as base:
        send_all(base, payloads, WARM_UP, CLIENTS, deadline)
        memory["warm_up"] = read_memory(base)
        for count, share in ((ALONE, images // 10), (CLIENTS, images - images // 10)):
            clients[str(count)] = summarise_answers(send_all(base, payloads, share, count, deadline))
        memory["images"] = read_memory(base)
        torn = list(make_malformed(draw_payloads(FORMATS), malformed, np.random.default_rng(1)))
        answers = send_all(base, torn, len(torn), CLIENTS, time.monotonic() + 60 * minutes)
        memory["malformed"] = read_memory(base)
        after = send_all(base, payloads, 1, ALONE, time.monotonic() + TIMEOUT_S)
    if after.statuses != {200: 1}:
        raise DataError(f"expected a verdict after the malformed uploads, got {dict(after.statuses)}; read the log")
    statuses = {str(status): number for status, number in sorted(answers.statuses.items())}
    return {
        "machine": describe_machine() | {"threads": os.cpu_count()},
        "model": "/".join(model.parts[-4:]),  # models/SIZE/CATEGORY/SEED
        "pixels": [SIDE, SIDE],
        "clients": clients,
        "memory_mb": memory,
        "malformed": statuses,
    }


@contextmanager
def run_server(model: Path) -> Iterator[str]:
    """Run the command in a process of its own; hand out its address. DataError where it does not start."""
    line = [sys.executable, "-m", "efficientad.cli", "serve", str(model), "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().rpartition(" at ")[2]
        if not address:
            raise DataError(f"expected a server of {model}, it ended; run `efficientad serve {model}` to see why")
        try:
            yield address
        finally:
            process.terminate()


def draw_payloads(formats: Sequence[str]) -> list[bytes]:
    """Return files of grained surfaces, one in each of the formats."""
    rng = np.random.default_rng(0)
    surfaces = [120 + 20 * smooth_noise(rng, (SIDE, SIDE), 100) + 8 * smooth_noise(rng, (SIDE, SIDE), 2)
                for _ in formats]  # fmt: skip
    images = [np.repeat(one.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2) for one in surfaces]
    return [bytes(cv2.imencode(suffix, image)[1]) for suffix, image in zip(formats, images, strict=True)]


def make_malformed(payloads: Sequence[bytes], count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield files that are cut, have altered bytes, or are some random bytes behind a format's first ones."""
    heads = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"BM", b"RIFF\x10\x00\x00\x00WEBP")
    for index in range(count):
        payload = payloads[index % len(payloads)]
        kind = index % 3
        if kind == 0:
            yield payload[: rng.integers(0, len(payload))]
        elif kind == 1:
            altered = np.frombuffer(payload, np.uint8).copy()
            altered[rng.integers(0, len(altered), 10)] ^= 0x55
            yield altered.tobytes()
        else:
            yield heads[index % len(heads)] + rng.bytes(int(rng.integers(0, 2_000)))


def send_all(base: str, payloads: Sequence[bytes], images: int, clients: int, deadline: float) -> Answers:
    """Send the payloads in turn, `images` in all or until `deadline` (of time.monotonic), and wait for all answers."""
    statuses: Counter[int] = Counter()
    milliseconds: list[float] = []
    left, lock = iter(range(images)), threading.Lock()

    def send() -> None:
        with httpx.Client(base_url=base, timeout=TIMEOUT_S) as client:
            while time.monotonic() < deadline:
                with lock:
                    index = next(left, None)
                if index is None:
                    return
                started = time.perf_counter()
                status = client.post("/predict", content=payloads[index % len(payloads)]).status_code
                elapsed = 1000 * (time.perf_counter() - started)
                with lock:
                    statuses[status] += 1
                    milliseconds.append(elapsed)

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        for sent in [threads.submit(send) for _ in range(clients)]:
            sent.result()
    return Answers(statuses, milliseconds, time.perf_counter() - begun)


def summarise_answers(answers: Answers) -> dict[str, Any]:
    """Return images, images_per_s and percentiles; DataError where an image was not judged."""
    if set(answers.statuses) != {200}:
        raise DataError(f"expected a verdict for each image, got the HTTP statuses {dict(answers.statuses)}")
    images = answers.statuses[200]
    return {"images": images, "images_per_s": round(images / answers.seconds, 1), **summarise(answers.milliseconds)}


def read_memory(base: str) -> float:
    """Return the server's resident memory in MB."""
    lines = httpx.get(f"{base}/metrics", timeout=TIMEOUT_S).text.splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith("process_resident_memory_bytes "))
    return round(float(value) / 1e6, 1)


def render_figures(figures: dict[str, Any]) -> list[str]:
    """Return the lines of the page's section."""
    machine, memory = figures["machine"], figures["memory_mb"]
    width, height = figures["pixels"]
    rows = [
        f"| {clients} | {one['images']:,} | {one['images_per_s']} | {one['p50_ms']} | {one['p99_ms']} |"
        for clients, one in figures["clients"].items()
    ]
    statuses = ", ".join(f"{number:,} with {status}" for status, number in figures["malformed"].items())
    images = sum(one["images"] for one in figures["clients"].values())
    return [
        f"`{figures['model']}`, PNG of {width:,} x {height:,} px, {machine['processor']},",
        f"{machine['threads']} threads; the clients run on the same machine.",
        "",
        "| clients | images | images a second | p50 ms | p99 ms |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"The server's memory: {memory['warm_up']} MB after the first images, {memory['images']} MB after {images:,}, "
        f"{memory['malformed']} MB after",
        f"the malformed uploads, of which it answered {statuses}, and then the next image as before.",
    ]


def replace_figures(page: str, figures: dict[str, Any]) -> str:
    """Return the page's text with what stands between the markers written anew; DataError where one is missing."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise DataError(f"expected {BEGIN} and {END} once each in {PAGE}: put both around the figures")
    before, rest = page.split(BEGIN)
    return "\n".join([f"{before}{BEGIN}", *render_figures(figures), f"{END}{rest.split(END)[1]}"])


def main() -> None:
    """Measure where a model is named, then render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--malformed", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    if options.model is not None:
        write_json(FIGURES, measure_load(options.model, options.images, options.malformed, options.minutes))
    PAGE.write_text(replace_figures(PAGE.read_text("utf-8"), read_json(FIGURES)), "utf-8")


if __name__ == "__main__":
    main()
