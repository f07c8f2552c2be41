"""What a monitor is told, in Prometheus' form."""

from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TENTHS = tuple(step / 10 for step in range(1, 11))


class Metrics:
    """Counts and times of one server; memory and CPU time are of its process."""

    def __init__(self, count_inside: Callable[[], int], capacity: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("efficientad_requests", "Answers by HTTP status", ["status"], registry=self.registry)
        self.images = Counter(
            "efficientad_images",
            "Judged images; error: broken, too large, or without a finite score",
            ["model", "verdict"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "efficientad_judging_seconds", "From an upload's bytes to its judgement, without waiting",
            ["model"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.display_scores = Histogram(
            "efficientad_display_score", "Scores as shown: 0.5 at the threshold; good parts that drift show here",
            ["model"], buckets=_TENTHS, registry=self.registry,
        )  # fmt: skip
        inside = Gauge("efficientad_inside", "Images being judged or waiting", registry=self.registry)
        inside.set_function(count_inside)
        Gauge("efficientad_capacity", "Images inside from which on 429 is answered", registry=self.registry).set(
            capacity
        )

    def write(self) -> bytes:
        """Return all of them as text."""
        return generate_latest(self.registry)

    def count_requests(self, app: ASGIApp) -> ASGIApp:
        """Return the application, counting its answers."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def count(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.requests.labels(str(int(HTTPStatus(message["status"])))).inc()
                await send(message)

            await app(scope, receive, count)

        return counted
