"""The operator's page in a headless Chromium: real clicks, a drag of the slider, a camera that Chromium fakes."""

import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from running_server import GOOD_SCORES, TOKEN, draw_part, run_station
from tiny_models import HEADER

from efficientad.data.images.encoding import encode_png
from efficientad.deploy.predictor import predict_image
from efficientad.deploy.regions import find_regions

pytestmark = pytest.mark.browser
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
PATIENCE_MS = 30_000  # of a busy machine
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
GOOD, DEFECT = encode_png(draw_part()), encode_png(draw_part(defect=True))


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("expected a Chromium to click in, found none: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, client):
    """Open the page; at the end nothing must have been complained of, or asked for elsewhere."""
    complaints, addresses, opened = [], [], []

    def open_one(viewport=DESKTOP, base=str(client.base_url), before=lambda page: None) -> Page:
        page = browser.new_page(viewport=viewport)
        opened.append(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        before(page)
        page.goto(base)
        if base == str(client.base_url):  # another one asks for a token first
            page.wait_for_selector("main:not([inert])")
        return page

    yield open_one
    for page in opened:
        page.close()
    assert [text for text in complaints if "the server responded with a status of" not in text] == []
    assert all(re.match(r"http://127\.0\.0\.1:|blob:", address) for address in addresses)


def give(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        "#files", [{"name": name, "mimeType": "image/png", "buffer": payload} for name, payload in files]
    )


def expect_verdict(page: Page, word: str) -> None:
    expect(page.locator("#word")).to_have_text(word)


def read_regions(page: Page) -> list[dict[str, float]]:
    rows = page.locator("#regions li").evaluate_all("rows => rows.map(row => ({...row.dataset}))")
    return [{name: float(value) for name, value in row.items()} for row in rows]


def drag_threshold(page: Page, share: float) -> float:
    """Drag the slider's thumb to a share of its way; return the threshold there."""
    slider = page.locator("#threshold")
    box = slider.bounding_box()
    low, high, now = slider.evaluate("one => [one.min, one.max, one.value].map(Number)")
    reach = lambda part: box["x"] + 14 + part * (box["width"] - 28)  # noqa: E731
    middle = box["y"] + box["height"] / 2
    page.mouse.move(reach((now - low) / (high - low)), middle)
    page.mouse.down()
    page.mouse.move(reach(share), middle, steps=3)
    page.mouse.up()
    return float(slider.input_value())


def test_images_get_their_verdicts(open_page):
    page = open_page()
    expect_verdict(page, "READY")
    give(page, ("good.png", GOOD))
    expect_verdict(page, "GOOD")
    give(page, ("defect.png", DEFECT), ("again.png", GOOD))
    expect(page.locator("#tally")).to_have_text("1 of 3 defective")
    page.get_by_role("button", name="defect.png: defect").click()
    expect_verdict(page, "DEFECT")
    expect(page.locator("#reason")).to_contain_text("defect.png")
    assert page.locator("#picture").is_visible()


def test_a_large_photograph_that_is_turned(open_page):
    """The picture lies below the map as the server decoded it: upright, by the EXIF orientation."""
    image = np.full((1000, 2000, 3), 128, np.uint8)
    image[:500, :1000] = (255, 0, 0)
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    Image.fromarray(image).save(file, "JPEG", exif=exif)
    page = open_page()
    page.get_by_label("heat map").uncheck()
    give(page, ("photograph.jpg", file.getvalue()))
    expect(page.locator("#picture")).to_be_visible()
    size = page.locator("#picture").evaluate("one => [one.width, one.height]")
    assert size == [800, 1600]
    corners = page.locator("#picture").evaluate(
        """one => {
            const red = one.getContext("2d").getImageData(0, 0, 800, 1600).data;
            return [[100, 300], [700, 300], [100, 1300], [700, 1300]].map(([x, y]) => red[4 * (800 * y + x)] > 200);
        }"""
    )
    assert corners == [False, True, False, False]


def test_a_dropped_image(open_page):
    page = open_page()
    expect_verdict(page, "READY")
    page.evaluate(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            document.getElementById("hint").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }""",
        list(DEFECT),
    )
    expect_verdict(page, "DEFECT")


def test_the_regions_are_the_servers(open_page, client):
    page = open_page()
    give(page, ("defect.png", DEFECT))
    expect_verdict(page, "DEFECT")
    expected = client.post("/predict?model=washer", content=DEFECT).json()["regions"]
    listed = read_regions(page)
    assert [(one["x"], one["y"], one["area"], one["score"]) for one in listed] == [
        (*one["box"][:2], one["area"], one["score"]) for one in expected
    ]
    assert listed


def test_marks_at_any_threshold_are_those_of_python(open_page, loaded):
    page, image = open_page(), draw_part(defect=True, seed=3)
    anomaly_map = predict_image(loaded["washer"].engine, image).anomaly_map
    for threshold in (0.02, 0.028, 0.05, HEADER.threshold, 0.5, 2.0):
        found = page.evaluate(
            """async ([height, width, values, threshold]) => {
                const { findRegions } = await import("/page/marks.js");
                return findRegions({ width, height, values: Float32Array.from(values) }, threshold).regions;
            }""",
            [*anomaly_map.shape, anomaly_map.reshape(-1).tolist(), threshold],
        )
        boxes = [(one["x"], one["y"], one["width"], one["height"], one["area"], one["score"]) for one in found]
        expected = find_regions(anomaly_map, threshold, anomaly_map.shape)
        assert sorted(boxes) == sorted((*one.box, one.area, one.score) for one in expected)


def test_the_slider_asks_what_another_threshold_would_say(open_page, client):
    page = open_page()
    give(page, ("defect.png", DEFECT))
    expect_verdict(page, "DEFECT")
    marked = page.locator("#picture").evaluate("one => one.toDataURL()")
    for share, word in ((0.9, "GOOD"), (0.1, "DEFECT"), (0.25, "DEFECT")):
        threshold = drag_threshold(page, share)
        expect_verdict(page, word)
        above = sum(score > threshold for score in GOOD_SCORES)
        expect(page.locator("#consequence")).to_contain_text(f"{above} of 5 held-out good images")
        expect(page.locator("#reason")).to_contain_text("trial, the model is unchanged")
        assert bool(read_regions(page)) == (word == "DEFECT")
        assert page.locator("#picture").evaluate("one => one.toDataURL()") != marked
    assert {sum(score > limit for score in GOOD_SCORES) for limit in (0.1, HEADER.threshold)} == {4, 1}
    page.locator("#reset").click()
    assert float(page.locator("#threshold").input_value()) == pytest.approx(HEADER.threshold)
    expect(page.locator("#reason")).not_to_contain_text("trial")
    assert page.locator("#picture").evaluate("one => one.toDataURL()") == marked


def test_the_keyboard_moves_the_slider(open_page):
    page = open_page()
    page.locator("#threshold").focus()
    page.keyboard.press("End")
    expect(page.locator("#consequence")).to_contain_text("0 of 5")


def test_a_model_without_scores_says_so(open_page):
    page = open_page()
    page.locator("#model").select_option("other")
    expect(page.locator("#consequence")).to_contain_text("No scores of held-out good images")
    give(page, ("good.png", GOOD))
    expect_verdict(page, "GOOD")


def test_a_broken_image_has_no_verdict(open_page):
    page = open_page()
    give(page, ("torn.png", DEFECT[:200]))
    expect_verdict(page, "NO VERDICT")
    expect(page.locator("#reason")).to_contain_text("cut short")
    assert page.locator("#picture").is_hidden()


def test_the_camera(open_page):
    page = open_page(PHONE)
    page.get_by_role("button", name="Camera", exact=True).click()
    expect(page.locator("#video")).to_be_visible()
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#reason")).to_contain_text("camera")
    expect(page.locator("#picture")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#video")).to_be_visible()
    page.get_by_label("continuous").check()
    expect(page.locator("#reason")).to_contain_text("camera")
    expect(page.locator("#history button")).to_have_count(2)  # the continuous frames take one place
    page.get_by_role("button", name="Camera", exact=True).click()
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_a_full_queue_is_waited_for(open_page):
    refusals = [{"status": 429, "headers": {"Retry-After": "0"}, "body": json.dumps({"error": "full"})}] * 2

    def refuse(route):
        route.fulfill(**refusals.pop()) if refusals else route.continue_()

    page = open_page(before=lambda page: page.route("**/predict*", refuse))
    give(page, ("good.png", GOOD))
    expect_verdict(page, "GOOD")
    assert not refusals


def test_the_token_is_asked_for(open_page, loaded):
    with run_station(loaded, token=TOKEN) as closed:
        page = open_page(base=str(closed.base_url))
        for token in ("wrong-token-of-someone", TOKEN):
            expect(page.locator("#token-dialog")).to_be_visible()
            page.locator("#token").fill(token)
            page.get_by_role("button", name="OK").click()
        give(page, ("defect.png", DEFECT))
        expect_verdict(page, "DEFECT")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_lies_beside_the_screen(open_page, viewport):
    page = open_page(viewport)
    give(page, ("a name that is rather long, as cameras give it, 2026-11-27T23-59-59.123456.png", DEFECT))
    expect_verdict(page, "DEFECT")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.locator("#word").bounding_box()["height"] >= 40
    for button in page.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 40  # for fingers
