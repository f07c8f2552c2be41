from efficientad.reporting.card import render_card

EVALUATED = {
    "metrics": {"image_auroc": 0.999, "au_pro": 0.99},
    "verdicts": {"true_positive": 35, "false_positive": 2, "true_negative": 30, "false_negative": 1},
}
CALIBRATED = {"threshold": {"value": 0.07, "false_alarm_rate": 0.04, "normal_images": 24}}
EXPORTED = {
    "models": {
        "torch_fp32": {"image_auroc": 0.999},
        "openvino_int8": {"image_auroc": 0.997, "max_map_difference": 0.076, "verdict_flips": 3, "megabytes": 5.67},
    }
}


def render(evaluated=EVALUATED, exported=EXPORTED):
    facts = {"size": "L", "seed": 0}
    return render_card("L/gear/0", facts, evaluated, CALIBRATED, exported, [("data/prepared/gear", "abc.dir")])


def test_a_card_says_what_for_how_well_at_what_threshold_and_of_what():
    card = render()
    assert "judges images of gear" in card
    assert "| 99.9 | 99.0 |" in card
    assert "missed 1 of 36 defective images and raised 2 false alarms on 32 good ones" in card
    assert "0.07, from 24 good images" in card
    assert "at most 4.0 %" in card
    assert "| torch_fp32 | - | 99.9 | - | - |" in card
    assert "| openvino_int8 | 5.67 | 99.7 | 0.076 | 3 |" in card
    assert "| data/prepared/gear | `abc.dir` |" in card


def test_without_defects_there_is_no_accuracy():
    verdicts = {"true_positive": 0, "false_positive": 0, "true_negative": 30, "false_negative": 0}
    card = render({"metrics": {}, "verdicts": verdicts}, {"models": {"torch_fp32": {}}})
    assert "No defects to test on." in card
    assert "missed 0 of 0 defective" not in card
    assert "| torch_fp32 | - | - | - | - |" in card
