"""Each caution has its cause."""

from dataclasses import replace

import pytest
from tiny_page import change_stage

from efficientad.reporting.page.cautions import list_cautions
from efficientad.reporting.page.promise import read_promise
from efficientad.reporting.page.verdicts import count_verdicts, list_kinds


def find(sources, words):
    """Return the one caution with these words."""
    counts = count_verdicts(sources.images)
    cautions = list_cautions(sources, counts, list_kinds(sources.images), read_promise(sources, counts))
    found = [caution for caution in cautions if words in caution]
    assert len(found) <= 1
    return found[0] if found else None


def calibrate(sources, **values):
    return change_stage(sources, calibrate={"threshold": sources.stages.calibrate["threshold"] | values})


def test_few_images_are_named_with_what_they_can_show(sources):
    assert find(sources, "Few held-out good parts (24)").endswith("up to 11.7\N{NO-BREAK SPACE}%, more than twice the "
                                                                   "promised 4\N{NO-BREAK SPACE}%.")  # fmt: skip
    assert "below 13.9\N{NO-BREAK SPACE}%" in find(sources, "Few good test images (20)")
    assert find(sources, "Few test images of scratch (6), stain <&> (4)")


def test_many_images_are_no_reason_for_a_caution(sources):
    many = replace(sources, images=[image for image in sources.images for _ in range(10)])
    assert not find(many, "Few good test images")
    assert not find(many, "Few test images of")


def test_images_of_one_part_in_two_splits(sources):
    assert not find(sources, "seem to show one part")
    leaky = change_stage(sources, near_duplicates={"checked": True, "pairs": [{}, {}]})
    assert find(leaky, "seem to show one part").startswith("2 pairs of images")
    assert find(change_stage(sources, near_duplicates={"checked": False, "pairs": []}), "Nobody looked")


def test_more_false_alarms_than_chance_explains(sources):
    assert not find(sources, "More false alarms")  # one of 20 may happen with a rate of 4 %
    images = [replace(image, is_alarm=image.is_alarm or image.name < "good/05") for image in sources.images]
    assert "5 of 20 good test images" in find(replace(sources, images=images), "More false alarms than promised")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"export": {"images": 4, "int8": {"kept": None}, "models": {}}}, "There is no INT8 model"),
        ({"export": {"images": 4, "models": {"openvino_int8": {"verdict_flips": 1}}}}, "INT8 gives another verdict"),
        ({"fit": {"autoencoder": {"variation": 1e-9}}}, "The autoencoder gives the same"),
    ],
)
def test_models_that_differ(sources, change, words):
    assert not find(sources, words)
    assert find(change_stage(sources, **change), words)


def test_defects_that_are_missing(sources):
    good = replace(sources, images=[image for image in sources.images if not image.is_anomalous])
    assert find(good, "No defect was tested")
    defective = replace(sources, images=[image for image in sources.images if image.is_anomalous])
    assert find(defective, "No good part was tested")
    stains = replace(sources, images=[image for image in sources.images if image.defect != "scratch"])
    assert find(stains, "No defect is annotated")


def test_copies_that_were_left_out(sources):
    assert find(replace(sources, left_out=("a.png",)), "left out").startswith("1 image left out")
