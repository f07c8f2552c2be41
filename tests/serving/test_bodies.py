"""Limits of a body's size and time, and forms."""

import socket
import time

import pytest
from running_server import draw_part, read_error, run_station

from efficientad.data.images.encoding import encode_png
from efficientad.serving.service import Limits

LIMITS = Limits(most_bytes=100_000, seconds=0.3)
PAYLOAD = encode_png(draw_part())


@pytest.fixture(scope="module")
def small(loaded):
    with run_station({"washer": loaded["washer"]}, LIMITS) as client:
        yield client


def test_a_body_that_announces_too_much_is_refused_unread(small):
    answer = small.post("/predict", content=bytes(LIMITS.most_bytes + 1))
    assert answer.status_code == 413
    assert read_error(answer).startswith("expected a body of at most 0.1 MB")


def test_a_body_that_announces_nothing_is_cut_off(small):
    answer = small.post("/predict", content=(bytes(10_000) for _ in range(1_000)))
    assert answer.status_code == 413


def test_the_limit_holds_for_tensors_and_forms(small):
    assert small.post("/v2/models/washer/infer", content=bytes(LIMITS.most_bytes + 1)).status_code == 413
    assert small.post("/predict", files={"image": bytes(LIMITS.most_bytes)}).status_code == 413


def test_a_body_that_does_not_come_frees_its_place(small):
    with socket.create_connection((small.base_url.host, small.base_url.port)) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nbegun")
        begun = time.monotonic()
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 5
    assert "efficientad_inside 0.0" in small.get("/metrics").text


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ({"files": [("a", PAYLOAD), ("b", PAYLOAD)]}, "Too many files"),
        ({"files": {"empty": b""}}, "the file is empty"),
        ({"content": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, ""),
        ({"content": b"no form", "headers": {"Content-Type": "multipart/form-data"}}, ""),
    ],
    ids=["two files", "empty file", "torn", "no boundary"],
)
def test_a_form_without_one_image_gets_one_line(small, form, line):
    answer = small.post("/predict", **form)
    assert answer.status_code == 400
    assert line in read_error(answer)


def test_a_form_may_have_fields_beside_its_file(small):
    assert small.post("/predict", data={"station": "7"}, files={"image": PAYLOAD}).status_code == 200
    assert "got none" in read_error(small.post("/predict", files={"station": (None, "7")}))
