"""What is done to a model's files, and what must come of it: a refusal, or the same verdict as before."""

from pathlib import Path

from damage import draw, encode

from efficientad.deploy.format.sealing import seal_ir

IR, BIN = "openvino/fp32/1/model.xml", "openvino/fp32/1/model.bin"


def cut(share: float):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip(share: float):
    def change(path) -> None:
        payload = bytearray(path.read_bytes())
        payload[int(share * (len(payload) - 1))] ^= 0x10
        path.write_bytes(payload)

    return change


BROKEN = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"not a model"),
    "image": lambda path: path.write_bytes(encode(draw(1), "PNG")),
    "git_lfs": lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a_folder": lambda path: [path.unlink(), path.mkdir()],
    **{f"cut_at_{share}": cut(share) for share in (0.001, 0.3, 0.99)},
}
FLIPPED = {f"flipped_at_{share}": flip(share) for share in (0, 0.001, 0.25, 0.5, 0.75, 0.999)}
HEADER = {
    "version": ("0.1.0", "99.0"), "threshold_nan": ("0.31", "nan"), "threshold_inf": ("0.31", "inf"),
    "threshold_text": ("0.31", "high"), "scale_zero": ("0.4", "0"), "scale_negative": ("0.4", "-1"),
    "image_size": ("64 64", "32 32"), "image_size_of_three": ("64 64", "64 64 3"), "entity": ("washer", "&none;"),
    "bare_ampersand": ("washer", "nuts & bolts"), "no_character": ("washer", "&#27;[2J"),
    "control": ("washer", "\x1b[2J"), "surrogate": ("washer", "&#xD800;"),
    "beyond_unicode": ("washer", "&#x110000;"), "no_number": ("washer", "&#;"),
}  # fmt: skip


def change_header(models: Path, old: str, new: str) -> None:
    """Put another value into an IR's header, with the checksum that it then has: it is the value that is refused."""
    path = models / IR
    text = path.read_text("utf-8")
    assert f'value="{old}"' in text
    path.write_text(text.replace(f'value="{old}"', f'value="{new}"'), "utf-8")
    seal_anew(models)


def seal_anew(models: Path) -> None:
    """Renew an IR's checksum."""
    (models / IR).write_bytes(seal_ir((models / IR).read_text("utf-8"), (models / BIN).read_bytes()))


def swap_halves(path: Path) -> None:
    """Make other weights of the same length."""
    payload = path.read_bytes()
    half = len(payload) // 2
    path.write_bytes(payload[half:] + payload[:half])
