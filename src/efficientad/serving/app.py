"""The application: routes, answers to errors, the guard in front."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp

from efficientad import __version__
from efficientad.serving.guard import Guard
from efficientad.serving.kserve import build_kserve_routes
from efficientad.serving.metrics import CONTENT_TYPE
from efficientad.serving.models import ServedModel
from efficientad.serving.page import build_page_routes
from efficientad.serving.refusals import answer_errors
from efficientad.serving.service import Limits, Service
from efficientad.serving.uploads import build_upload_routes

_DEFAULTS = Limits()


def build_app(models: Mapping[str, ServedModel], limits: Limits = _DEFAULTS, token: str | None = None) -> ASGIApp:
    """Return the application that serves these models; with a token, only to who has it."""
    service = Service(models, limits)

    @asynccontextmanager
    async def finish(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.gate.close()

    # Their pages of documentation load scripts from elsewhere.
    app = FastAPI(title="efficientad", version=__version__, docs_url=None, redoc_url=None, lifespan=finish)
    answer_errors(app)

    @app.get("/metrics", include_in_schema=False)
    async def write_metrics() -> Response:
        return Response(service.metrics.write(), media_type=CONTENT_TYPE)

    for router in (build_kserve_routes(service), build_upload_routes(service), build_page_routes(service)):
        app.include_router(router)
    return service.metrics.count_requests(Guard(app, token))
