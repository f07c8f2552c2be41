"""A compiled model that was damaged on disk is compiled anew: no bit of the cache moves a score."""

import numpy as np
import pytest
from tiny_graph import write_tiny_ir
from tiny_models import SIDE

from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.load import load_engine

IMAGE = np.full((1, SIDE, SIDE, 3), 100, np.uint8)


@pytest.fixture
def cached(tmp_path):
    """A model and its compiled one: the options, the model's file, the compiled file."""
    model, options = write_tiny_ir(tmp_path / "model.xml"), EngineOptions(cache=tmp_path / "cache")
    load_engine(model, options)
    (blob,) = (tmp_path / "cache").glob("*.blob")
    return model, options, blob


def test_flipped_bits_change_no_map(cached):
    model, options, blob = cached
    expected = load_engine(model).run(IMAGE).maps
    rng = np.random.default_rng(0)
    for _ in range(20):
        content = bytearray(blob.read_bytes())
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        blob.write_bytes(content)
        np.testing.assert_array_equal(load_engine(model, options).run(IMAGE).maps, expected)


def test_one_without_a_checksum_is_not_trusted_and_one_with_it_is_kept(cached):
    model, options, blob = cached
    written = blob.stat().st_mtime_ns
    load_engine(model, options)
    assert blob.stat().st_mtime_ns == written
    blob.with_name(f"{blob.name}.sha256").unlink()
    load_engine(model, options)
    assert blob.stat().st_mtime_ns > written
