"""The page's files: nothing comes from elsewhere, everything is there."""

import re

import numpy as np
import pytest
from running_server import GOOD_SCORES
from tiny_models import HEADER

from efficientad.data.images.drawing import colour_map
from efficientad.serving.page import list_colours, read_page

PAGE = {name: answer.body.decode() for name, answer in read_page().items()}


@pytest.mark.parametrize("name", PAGE)
def test_no_address_leads_elsewhere(name):
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", PAGE[name]))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", PAGE)
def test_what_a_file_names_is_there(client, name):
    for path in re.findall(r"[\"'](/page/[\w.]+)[\"']", PAGE[name]):
        assert client.get(path).status_code == 200, path
    assert client.get(f"/page/{name}").text == PAGE[name]


def test_scripts_and_styles_are_files(client):
    """As the content security policy asks."""
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", PAGE["index.html"])
    assert client.get("/page/main.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page/absent.js").status_code == 404


def test_the_page_is_told_of_the_models(client):
    washer, other = client.get("/models.json").json()["models"]
    assert washer["threshold"] == pytest.approx(HEADER.threshold)
    assert washer["good_scores"] == pytest.approx(GOOD_SCORES)
    assert (other["name"], other["product"], other["good_scores"]) == ("other", "washer", None)


def test_the_palette_is_the_heat_maps():
    levels = np.linspace(0, 1, 256, dtype=np.float32)[None]
    assert list_colours() == colour_map(levels)[0].tolist()
