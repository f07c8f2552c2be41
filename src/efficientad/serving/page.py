"""The operator's page: its files, and what it must know of the models."""

from importlib.resources import files
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from efficientad.data.images.drawing import colour_map
from efficientad.serving.models import ServedModel
from efficientad.serving.service import Service

_INDEX = "index.html"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def build_page_routes(service: Service) -> APIRouter:
    """Return the routes of the page; its files are read once."""
    router = APIRouter(include_in_schema=False)
    contents = read_page()

    @router.get("/")
    async def show() -> Response:
        return contents[_INDEX]

    @router.get("/page/{name}")
    async def show_file(name: str) -> Response:
        return contents.get(name, Response(status_code=404))

    @router.get("/models.json")
    async def list_models() -> Response:
        return JSONResponse({"models": list(map(describe_model, service.models.values())), "palette": list_colours()})

    return router


def read_page() -> dict[str, Response]:
    """Return the page's files, by name, as answers."""
    names = [file for file in files("efficientad.serving").joinpath("page").iterdir() if file.is_file()]
    return {
        file.name: Response(file.read_bytes(), media_type=_TYPES[f".{file.name.rpartition('.')[2]}"]) for file in names
    }


def describe_model(model: ServedModel) -> dict[str, Any]:
    """Return name, product, threshold, its promised false-alarm rate, and scores of held-out good images or null."""
    header, good = model.engine.header, model.good_scores
    return {
        "name": model.name,
        "product": header.category,
        "threshold": header.threshold,
        "false_alarm_rate": header.false_alarm_rate,
        "good_scores": None if good is None else good.tolist(),
    }


def list_colours() -> list[list[int]]:
    """Return the 256 colours, RGB, of a heat map from its lowest to its highest value."""
    colours: list[list[int]] = colour_map(np.linspace(0, 1, 256, dtype=np.float32)[None])[0].tolist()
    return colours
