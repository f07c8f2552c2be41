"""What a request is answered with that cannot be served: a status, and one line that says what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from efficientad.errors import DataError, ModelError


class Refusal(HTTPException):
    """An answer other than 200, as {"error": one line}."""

    def __init__(self, status: HTTPStatus, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, line, headers)


def write_error(status: int, line: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer {"error": line}, as the KServe V2 protocol has it."""
    return JSONResponse({"error": " ".join(line.split())}, status, headers)


def answer_errors(app: FastAPI) -> None:
    """Answer each error with one line: what the client can put right with 4xx, anything else with 500."""

    @app.exception_handler(HTTPException)
    async def answer_refusal(_: Request, error: HTTPException) -> JSONResponse:
        return write_error(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(DataError)
    async def answer_bad_image(_: Request, error: DataError) -> JSONResponse:
        return write_error(HTTPStatus.BAD_REQUEST, str(error))

    @app.exception_handler(ModelError)
    async def answer_no_verdict(_: Request, error: ModelError) -> JSONResponse:
        return write_error(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    @app.exception_handler(RequestValidationError)
    async def answer_bad_query(_: Request, error: RequestValidationError) -> JSONResponse:
        return write_error(HTTPStatus.BAD_REQUEST, "; ".join(map(_name_problem, error.errors())))

    @app.exception_handler(Exception)
    async def answer_defect(_: Request, error: Exception) -> JSONResponse:
        return write_error(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}; the server's log has more")


def _name_problem(problem: Any) -> str:
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
