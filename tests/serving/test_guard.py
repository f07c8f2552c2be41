"""Who is let in, and what browsers are told."""

import httpx
import pytest
from running_server import TOKEN, draw_part, read_error, run_station

from efficientad.data.images.encoding import encode_png

BEHIND_THE_TOKEN = ("/models.json", "/metrics", "/v2", "/v2/models/washer", "/openapi.json", "/predict", "/absent")


@pytest.fixture(scope="module")
def closed(loaded):
    with run_station(loaded, token=TOKEN) as client:
        yield client


@pytest.mark.parametrize("path", BEHIND_THE_TOKEN)
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"])
def test_without_the_token_nothing_is_told(closed, path, given):
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    answer = closed.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "washer" not in read_error(answer)


def test_the_token_opens(closed):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert closed.get("/models.json", headers=headers).status_code == 200
    answer = closed.post("/predict?model=washer", content=encode_png(draw_part()), headers=headers)
    assert answer.status_code == 200


def test_the_page_and_the_watchdogs_questions_are_open(closed):
    for path in ("/", "/page/main.js", "/v2/health/live", "/v2/health/ready"):
        assert closed.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/page/../metrics", "/page/%2e%2e/metrics", "//metrics", "/page//../models.json"])
def test_no_way_round(closed, path):
    answer = closed.send(httpx.Request("GET", httpx.URL(str(closed.base_url), raw_path=path.encode())))
    assert answer.status_code in (401, 404)
    assert "efficientad_" not in answer.text


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/metrics", "/v2/health/live", "/absent"])
def test_every_answer_has_the_security_headers_and_none_of_cors(client, path):
    headers = client.get(path, headers={"Origin": "http://elsewhere.example"}).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith("access-control-")]


def test_a_preflight_of_another_site_is_not_granted(client):
    asked = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/predict", headers=asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_another_sites_page_cannot_send_images(client):
    answer = client.post("/predict?model=washer", content=b"x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "", "[::1", "192.168.0.7"])
def test_without_a_token_only_this_machines_names_are_answered(client, host):
    """A name elsewhere that leads to 127.0.0.1 would let another site's page read the answers."""
    assert client.get("/models.json", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_this_machines_names(client, host):
    assert client.get("/models.json", headers={"Host": host}).status_code == 200


def test_tokens_are_compared_in_constant_time(closed, monkeypatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda *both: compared.append(both))
    closed.get("/metrics", headers={"Authorization": "Bearer wrong"})
    assert compared == [(b"wrong", TOKEN.encode())]
