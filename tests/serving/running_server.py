"""A server in a thread, and images that the tiny detector of `models` calls normal and anomalous."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from tiny_models import SIDE

from efficientad.deploy.engines.engine import EngineOptions, Outputs
from efficientad.serving.app import build_app
from efficientad.serving.models import load_models
from efficientad.serving.server import build_server, listen, name_address
from efficientad.serving.service import Limits

_DEFAULTS = Limits()
TOKEN = "0123456789abcdef0123"
GOOD_SCORES = (0.1, 0.2, 0.25, 0.3, 0.5)


@contextmanager
def run_station(models, limits=_DEFAULTS, token=None, certificate=None, **client) -> Iterator[httpx.Client]:
    """Serve loaded models at a free port; hand out a client, whose `base_url` is the server's."""
    with listen("127.0.0.1", 0) as listening:
        server = build_server(build_app(models, limits, token), certificate)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=name_address(listening, certificate), timeout=30, **client) as running:
                yield running
        finally:
            server.should_exit = True
            thread.join()


def load(*arguments: str):
    return load_models(arguments, EngineOptions())


def write_scores(path: Path) -> None:
    rows = [f"train/good/{index}.png,good,{score}" for index, score in enumerate(GOOD_SCORES)]
    path.write_text("\n".join(["part,kind,score", *rows, "x,defect,9.0", ""]))


def draw_part(defect: bool = False, scale: int = 1, seed: int = 0) -> NDArray[np.uint8]:
    """Return an image (64 scale, 64 scale, 3) that scores about 0.15, or 0.56 with its white square."""
    image = np.random.default_rng(seed).integers(100, 156, (SIDE * scale, SIDE * scale, 3), dtype=np.uint8)
    if defect:
        image[8 * scale : 24 * scale, 8 * scale : 24 * scale] = 255
    return image


def read_error(answer: httpx.Response) -> str:
    """Return an error's one line."""
    (name, line), *others = json.loads(answer.text).items()
    assert (name, others) == ("error", [])
    assert "\n" not in line
    assert "Traceback" not in line
    return line


def wait_until(is_reached: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@dataclass
class HeldEngine:
    """An engine that waits with each image until `go` is set."""

    engine: object
    go: threading.Event

    @property
    def header(self):
        return self.engine.header

    def run(self, images):
        assert self.go.wait(20)
        return self.engine.run(images)


@dataclass
class BrokenEngine:
    """An engine whose scores are no numbers."""

    engine: object
    value: float

    @property
    def header(self):
        return self.engine.header

    def run(self, images):
        maps, scores = self.engine.run(images)
        return Outputs(maps, scores * self.value)

    def infer(self, images):
        return {name: values * self.value for name, values in self.engine.infer(images).items()}
