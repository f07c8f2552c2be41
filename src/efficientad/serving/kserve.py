"""The KServe V2 inference protocol over REST (the Open Inference Protocol); JSON tensors, without its extensions."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from efficientad import __version__
from efficientad.serving.bodies import read_body
from efficientad.serving.models import ServedModel
from efficientad.serving.service import Service
from efficientad.serving.tensors import choose_outputs, describe_tensors, parse_request, read_images, write_tensor

_VERSION = "1"
_WITH_VERSION = f"versions/{_VERSION}"


def build_kserve_routes(service: Service) -> APIRouter:
    """Return the routes below /v2."""
    router = APIRouter(prefix="/v2")

    @router.get("")
    async def describe_server() -> dict[str, Any]:
        return {"name": "efficientad", "version": __version__, "extensions": []}

    @router.get("/health/live")
    async def is_live() -> dict[str, bool]:
        return {"live": True}

    @router.get("/health/ready")
    async def is_ready() -> dict[str, bool]:
        return {"ready": True}  # the server listens when all models are loaded

    @router.get("/models/{name}")
    @router.get(f"/models/{{name}}/{_WITH_VERSION}")
    async def describe_model(name: str) -> dict[str, Any]:
        model = service.find_model(name)
        tensors = describe_tensors(model.engine.header)
        return {"name": model.name, "versions": [_VERSION], "platform": "openvino", **tensors}

    @router.get("/models/{name}/ready")
    @router.get(f"/models/{{name}}/{_WITH_VERSION}/ready")
    async def is_model_ready(name: str) -> dict[str, Any]:
        return {"name": service.find_model(name).name, "ready": True}

    @router.post("/models/{name}/infer")
    @router.post(f"/models/{{name}}/{_WITH_VERSION}/infer")
    async def infer(name: str, request: Request) -> Response:
        model = service.find_model(name)
        with service.gate.enter():
            body = await read_body(request, service.limits.most_bytes, service.limits.seconds)
            return await service.gate.work(lambda: _infer(service, model, body))

    return router


def _infer(service: Service, model: ServedModel, body: bytes) -> Response:
    request = parse_request(body)
    names = choose_outputs(request)
    outputs = service.infer(model, read_images(request, model.engine.header.image_size))
    answer = {"model_name": model.name, "model_version": _VERSION}
    if "id" in request:
        answer["id"] = str(request["id"])
    return JSONResponse(answer | {"outputs": [write_tensor(name, outputs[name]) for name in names]})
