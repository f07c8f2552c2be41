"""The page: well-formed, complete in itself, with the stages' numbers; and as a reader sees it in a browser."""

import re
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from headless_browser import needs_chromium, open_page
from tiny_page import change_stage, write_sources

from efficientad.reporting.page.render import render_page


@pytest.fixture(scope="module")
def text(sources):
    return render_page(sources)


@pytest.fixture(scope="module")
def page(text):
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))  # an error where it is not well-formed


def read_table(page, heading):
    """Return the cells of the first table below a heading, by row."""
    section = next(s for s in page.iter("section") if any(h.text == heading for h in s.iter("h2")))
    return [["".join(cell.itertext()).strip() for cell in row] for row in next(section.iter("table")).iter("tr")]


def test_it_asks_for_no_other_file(text, page):
    assert not [element.tag for element in page.iter() if element.tag in ("script", "link", "iframe", "object")]
    places = [element.get(key) for element in page.iter() for key in ("src", "href", "srcset") if element.get(key)]
    assert places
    assert all(place.startswith(("data:image/jpeg;base64,", "#")) for place in places)
    assert not re.search(r"https?:|url\((?!#)|@import", text)


def test_every_picture_is_a_jpeg_and_says_what_it_shows(page):
    pictures = list(page.iter("img"))
    assert len(pictures) > 10
    assert all(b64decode(picture.get("src").partition(",")[2]).startswith(b"\xff\xd8\xff") for picture in pictures)
    assert "scratch/0.png: annotated defect" in [picture.get("alt") for picture in pictures]
    assert all(picture.get("alt") for picture in pictures)
    assert all(svg.get("aria-label") for svg in page.iter("svg"))


def test_ids_are_unique_and_references_lead_to_one(page):
    ids = Counter(element.get("id") for element in page.iter() if element.get("id"))
    assert max(ids.values()) == 1
    referred = {match for element in page.iter() for value in element.attrib.values()
                for match in re.findall(r"^(?:url\()?#([\w-]+)", value)}  # fmt: skip
    referred |= {element.get("aria-labelledby") for element in page.iter() if element.get("aria-labelledby")}
    assert referred
    assert referred <= set(ids)


def test_the_tiles_count_the_verdicts(page):
    tiles = [" ".join("".join(tile.itertext()).split()) for tile in next(page.iter("ul")).iter("li")]
    assert tiles == [
        "19of 20 good parts passed", "1 false alarm: good parts called defective", "9of 10 defects found",
        "1 missed: defects passed as good",
    ]  # fmt: skip


def test_numbers_are_those_of_the_stages(sources, page, text):
    metrics = sources.stages.evaluate["metrics"]
    *_, everything = read_table(page, "Defects by kind")
    assert everything[1:4] == ["10", "9", "1"]
    assert [float(cell) for cell in everything[4:]] == [
        pytest.approx(metrics["image_auroc"], abs=5e-4),
        pytest.approx(metrics["outline_iou"], abs=5e-3),
    ]
    trained, openvino = read_table(page, "Model files")[1:]
    assert trained == ["trained (PyTorch)", "–", "0.9000", "0.8000", "0.5000", "0.5", "–", "–"]
    assert openvino == ["OpenVINO FP32", "19.6", "0.9000", "0.8000", "0.5000", "0.31", "1e-05", "0"]
    assert "Of 100 new good parts, <b>4 at most</b> raise a false alarm" in text
    assert f"AUROC {metrics['image_auroc']:.4f}" in text
    assert f"AU-PRO {metrics['au_pro']:.4f} up to 0.3" in text


def test_names_of_a_user_are_text(text, page):
    assert "stain &lt;&amp;&gt;" in text
    assert read_table(page, "Defects by kind")[2][0] == "stain <&>"


def test_the_same_sources_give_the_same_page(tmp_path, models, text):
    """Nothing of it is a date, a folder's name, or a random id."""
    assert render_page(write_sources(tmp_path / "elsewhere", models)) == text


@pytest.mark.parametrize("kind", ["no defects", "no good parts", "a margin", "no curves"])
def test_what_is_missing_is_left_out(sources, kind):
    threshold = sources.stages.calibrate["threshold"] | {"policy": "margin"}
    wanted = kind == "no good parts"
    changed = {
        "a margin": lambda: change_stage(sources, calibrate={"threshold": threshold}),
        "no curves": lambda: replace(sources, roc=None, pro=None),
    }.get(kind, lambda: select(sources, wanted))()
    text = render_page(changed)
    ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert ("Defects by kind" in text) == (kind != "no defects")
    assert ("halfway to painted defects" in text) == (kind == "a margin")
    assert text.count("<svg") == (3 if kind == "a margin" else 1)


def select(sources, anomalous):
    """Keep the images of one class, which allow no curve."""
    images = [image for image in sources.images if image.is_anomalous == anomalous]
    names = {image.name for image in images}
    cases = [case for case in sources.cases if case.name in names]
    return replace(change_stage(sources, evaluate={"metrics": {}}), images=images, cases=cases, roc=None, pro=None)


CONTRAST = """() => {
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(v => (v /= 255) <= .04045 ? v / 12.92 :
    ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!c.endsWith(', 0)')) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('body *:not(svg *)')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 &&
    n.data.trim())).map(e => { const pair = [getComputedStyle(e).color, ground(e)].map(light);
    const [a, b] = pair.sort((x, y) => y - x);
    return [(a + .05) / (b + .05), e.textContent]; }).filter(([ratio]) => ratio < 4.5); }"""


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
def test_a_reader_sees_all_of_it_without_scrolling_sideways(tmp_path, sources, width):
    long = {"scratch": "manipulated_front_of_the_thread", "stain <&>": "Oberflächenverunreinigung"}
    images = [replace(image, defect=long.get(image.defect, image.defect)) for image in sources.images]
    file = tmp_path / "report.html"
    file.write_text(render_page(replace(sources, images=images)), "utf-8")
    with open_page(file, width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("[...document.images].filter(image => !image.naturalWidth || !image.width).length") == 0
        assert page.evaluate(CONTRAST) == []  # WCAG 2.2 AA
        assert page.locator("section:has(#kinds) .scroll").evaluate("e => e.scrollWidth <= e.clientWidth")
        heights = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
        assert max(heights) < 80  # four lines: no name is broken into letters
        sizes = page.locator(".figure svg").evaluate_all("all => all.map(svg => svg.getBoundingClientRect().width)")
        assert len(sizes) == 3
        assert min(sizes) > 300


@pytest.mark.browser
@needs_chromium
def test_in_print_no_picture_and_no_row_is_cut(tmp_path, text):
    """Chromium breaks pages as the rules of style say; these are what it must have computed."""
    file = tmp_path / "report.html"
    file.write_text(text, "utf-8")
    with open_page(file) as page:
        page.emulate_media(media="print")
        for selector in (".case", ".figure", "tr", ".tiles", ".cautions"):
            rules = page.locator(selector).evaluate_all("all => all.map(e => getComputedStyle(e).breakInside)")
            assert rules
            assert set(rules) == {"avoid"}, selector
        assert page.locator(".scroll").first.evaluate("e => getComputedStyle(e).overflowX") == "visible"
        pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2
