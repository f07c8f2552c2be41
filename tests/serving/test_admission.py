"""A full queue says so at once, and takes the next image as soon as there is room."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from running_server import HeldEngine, draw_part, read_error, run_station, wait_until

from efficientad.data.images.encoding import encode_png
from efficientad.serving.models import ServedModel
from efficientad.serving.service import Limits

LIMITS = Limits(threads=1, waiting=2)


def hold(loaded):
    engine = HeldEngine(loaded["washer"].engine, threading.Event())
    return {"washer": ServedModel("washer", engine, None)}, engine.go


def count_inside(client) -> int:
    lines = client.get("/metrics").text.splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("efficientad_inside "))))


def test_one_in_work_two_waiting_and_the_fourth_is_sent_away(loaded):
    models, go = hold(loaded)
    payload = encode_png(draw_part())
    with run_station(models, LIMITS) as client, ThreadPoolExecutor(3) as threads:
        try:
            waiting = [threads.submit(client.post, "/predict", content=payload) for _ in range(3)]
            wait_until(lambda: count_inside(client) == 3)
            answer = client.post("/predict", content=payload)
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert "send this one again" in read_error(answer)
            assert client.get("/v2/health/live").status_code == 200  # a watchdog is answered all the same
        finally:
            go.set()
        assert [one.result().status_code for one in waiting] == [200] * 3
        assert client.post("/predict", content=payload).status_code == 200
        assert count_inside(client) == 0


def test_refused_images_leave_their_places(loaded):
    with run_station({"washer": loaded["washer"]}, LIMITS) as client:
        for _ in range(2 * (LIMITS.threads + LIMITS.waiting)):
            assert client.post("/predict", content=b"no image").status_code == 400
        assert count_inside(client) == 0


def test_what_is_in_work_is_answered_before_the_server_stops(loaded):
    models, go = hold(loaded)
    with ThreadPoolExecutor(1) as threads:
        with run_station(models, LIMITS) as client:
            answer = threads.submit(httpx.post, f"{client.base_url}/predict", content=encode_png(draw_part()))
            wait_until(lambda: count_inside(client) == 1)
            threading.Timer(0.3, go.set).start()  # when the server has been told to stop
        assert answer.result().status_code == 200
