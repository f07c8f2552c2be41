"""Odd images lie outside of Tukey's outer fences; a kind is shifted where one measure tells it from good images."""

import numpy as np
import pytest
from measured_images import make, make_good

from efficientad.data.checking.oddness import find_fences, find_odd, find_shifts


def test_fences_lie_three_interquartile_ranges_out():
    assert find_fences(np.arange(0.0, 201), "brightness") == (50 - 300, 150 + 300)


def test_fences_of_contrast_and_sharpness_are_ratios():
    values = 2.0 ** np.arange(5)
    assert find_fences(values, "contrast") == pytest.approx((2 / 4**3, 8 * 4**3))
    assert find_fences(np.zeros(9), "sharpness")[1] < 0.1  # flat images


def test_fences_are_never_closer_than_an_eye_would_see():
    assert find_fences(np.full(10, 20.0), "brightness") == (15, 25)
    low, high = find_fences(np.full(10, 200.0), "brightness")
    assert (low, high) == pytest.approx((200 / 1.1, 220))


@pytest.mark.parametrize(
    ("exposure", "word"),
    [((60, 30, 0.3), "dark"), ((200, 30, 0.3), "bright"), ((120, 12, 0.3), "low contrast"),
     ((120, 70, 0.3), "high contrast"), ((120, 30, 0.1), "blurred"), ((120, 30, 0.8), "sharp or noisy")],
)  # fmt: skip
def test_what_is_odd_about_an_image_is_named(exposure, word):
    (odd,) = find_odd([*make_good(40), make("good/odd.png", exposure=exposure)])
    assert (odd.name, odd.word) == ("good/odd.png", word)
    assert f"good/odd.png ({word}: " in str(odd)


def test_alike_images_and_normal_noise_are_not_odd():
    rng = np.random.default_rng(0)
    noisy = [make(f"good/{n}.png", exposure=tuple(rng.normal((120, 30, 0.3), (15, 2, 0.02)))) for n in range(400)]
    assert find_odd(make_good(40)) == find_odd(noisy) == []


def test_six_exposures_of_a_station_are_not_odd():
    assert find_odd([make(f"good/{n}.png", exposure=(40 + 30 * (n % 6), 30, 0.3)) for n in range(60)]) == []


def test_the_farthest_comes_first_and_defects_are_not_judged():
    images = [*make_good(40), make("good/a.png", exposure=(80, 30, 0.3)), make("good/b.png", exposure=(10, 30, 0.3))]
    assert [odd.name for odd in find_odd([*images, make("dent/c.png", exposure=(10, 30, 0.3))])] == [
        "good/b.png",
        "good/a.png",
    ]


def test_few_images_have_no_outliers():
    assert find_odd([*make_good(6), make("good/odd.png", exposure=(10, 30, 0.3))]) == []


def test_a_kind_under_other_light_is_told():
    dents = [make(f"dent/{n}.png", exposure=(100 + n % 3, 30, 0.3)) for n in range(10)]
    (shift,) = find_shifts([*make_good(40), *dents])
    assert (shift.kind, shift.images, shift.word, shift.share) == ("dent", 10, "dark", 1.0)


def test_good_test_images_are_a_kind_of_their_own():
    train = [make(f"train/good/{n}.png", "train", exposure=(180 + n % 9, 30, 0.3)) for n in range(40)]
    test = [make(f"test/good/{n}.png", "test", exposure=(170, 30, 0.3)) for n in range(10)]
    assert [shift.kind for shift in find_shifts([*train, *test])] == ["test/good"]


def test_kinds_photographed_alike_are_not_told():
    dents = [
        make(f"dent/{n}.png", exposure=(120 + n % 5, 60, 0.3)) for n in range(10)
    ]  # contrast is the defect's affair
    few = [make(f"chip/{n}.png", exposure=(10, 30, 0.3)) for n in range(7)]
    assert find_shifts([*make_good(40), *dents, *few]) == []
