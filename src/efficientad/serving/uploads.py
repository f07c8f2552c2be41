"""Plain uploads: an image in, its verdict out."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from efficientad.serving.bodies import find_upload, read_body
from efficientad.serving.judging import Judgement, describe_judgement, draw_judgement
from efficientad.serving.service import Service

_PNG = "image/png"


def build_upload_routes(service: Service) -> APIRouter:
    """Return the route /predict."""
    router = APIRouter()

    @router.post("/predict")
    async def predict(
        request: Request, model: str | None = None, heat_map: bool = False, anomaly_map: bool = False
    ) -> Response:
        """Judge an image file, the body or a form's one file; `Accept: image/png` asks for the heat map alone."""
        chosen = service.find_model(model)
        as_png = _PNG in request.headers.get("accept", "")

        def judge() -> Response:
            judgement = service.judge(chosen, payload)
            if as_png:
                return Response(draw_judgement(judgement), headers=_list_headers(judgement), media_type=_PNG)
            return JSONResponse(describe_judgement(chosen.name, judgement, heat_map, anomaly_map))

        with service.gate.enter():
            body = await read_body(request, service.limits.most_bytes, service.limits.seconds)
            payload = await find_upload(request, body)
            return await service.gate.work(judge)

    return router


def _list_headers(judgement: Judgement) -> dict[str, str]:
    prediction = judgement.prediction
    return {
        "X-Verdict": prediction.verdict, "X-Score": str(prediction.score), "X-Threshold": str(prediction.threshold),
    }  # fmt: skip
