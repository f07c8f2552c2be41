import threading

import pytest

from efficientad.deploy.ahead import map_ahead


def test_looking_ahead_is_ordered_and_bounded():
    taken, ahead = [], 3
    gates = [threading.Event() for _ in range(40)]

    def take():
        for index in range(40):
            taken.append(index)
            yield index

    def work(index):
        if index % 2 == 0:  # even ones wait for the odd one behind them
            assert gates[index + 1].wait(10)
        gates[index].set()
        return index

    for position, result in enumerate(map_ahead(work, take(), threads=2, ahead=ahead)):
        assert result == position
        assert len(taken) <= position + ahead + 1
    assert len(taken) == 40


def test_looking_ahead_raises_at_the_items_place():
    results = map_ahead(lambda number: 1 / number, [2, 1, 0, 4], threads=2, ahead=2)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
