from efficientad.training.engine.order import order_samples


def test_every_sample_comes_once_an_epoch():
    order = [index for step in range(4) for index in order_samples(7, step, 3, 6)]
    assert sorted(order[:6]) == sorted(order[6:]) == list(range(6))
    assert order[:6] != order[6:]
