"""Threads share a number of pixels."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from efficientad.data.files.budget import PixelBudget


def test_no_more_pixels_are_held_at_a_time_than_there_are():
    budget, lock, held, highest = PixelBudget(10e-6), threading.Lock(), [0], [0]

    def work(pixels):
        with budget.take(pixels):
            with lock:
                held[0] += pixels
                highest[0] = max(highest[0], held[0])
            threading.Event().wait(0.002)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [4, 3, 5, 4, 2, 3, 1, 9] * 5))
    assert 4 < highest[0] <= 10


def test_an_image_of_more_pixels_than_there_are_waits_until_it_is_alone():
    budget, inside = PixelBudget(10e-6), threading.Event()

    def work():
        with budget.take(1000):
            inside.set()

    thread = threading.Thread(target=work)
    with budget.take(1):
        thread.start()
        assert not inside.wait(0.05)
    assert inside.wait(10)
    thread.join()


def test_an_error_gives_the_pixels_back():
    budget = PixelBudget(1e-6)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), budget.take(1):
            raise ZeroDivisionError
