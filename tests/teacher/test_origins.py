"""`efficientad download teacher` against a server on this machine, with files and checksums of its own."""

import hashlib
from dataclasses import replace

import pytest
import torch
from published_layouts import dump, load_shipped, number_names, pack_release

from efficientad.cli import main
from efficientad.model.weights import load_header, load_teacher
from efficientad.teacher.origins import FILES

COMMIT = "fcab5146f84ae17597044ad5ddf1656ccf805401"
NAMES = {"S": "teacher_small.pth", "M": "teacher_medium.pth"}
ARCHIVE = "efficientad_pretrained_weights.zip"


@pytest.fixture
def serve(server, monkeypatch):
    """Let the server send bytes in the place of a published file, whose checksum becomes theirs."""

    def put(origin, size, content):
        server.payload = content
        blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        checksum = {"blob_id": blob_id} if origin == "nelson1425" else {"sha256": hashlib.sha256(content).hexdigest()}
        monkeypatch.setitem(FILES, (origin, size), replace(FILES[origin, size], **checksum))

    return put


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("efficientad.commands.download._wait", lambda *_: None)


def run(folder, size, *options):
    return main(["download", "teacher", "--size", size, "--output", str(folder), *options])


@pytest.mark.parametrize("size", NAMES)
def test_a_teacher_is_fetched_once_checked_and_converted(server, serve, tmp_path, capsys, size):
    shipped = load_shipped(size)
    serve("nelson1425", size, dump(shipped))
    server.cuts = 1
    for _ in range(2):
        assert run(tmp_path / "new", size, "--mirror", f"{server.base}/models/") == 0
    assert server.paths == [f"/models/{NAMES[size]}"] * 2  # the second one resumed the first
    path = tmp_path / "new" / f"{size}.safetensors"
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    assert all(torch.equal(value, shipped[name]) for name, value in load_teacher(path, size).state_dict().items())
    header = load_header(path)
    assert header["published"] == f"{NAMES[size]}, github nelson1425/EfficientAD at {COMMIT}"
    assert {"size": size, "backbone": "wide_resnet101_2", "steps": 60_000, "batch_size": 16}.items() <= header.items()
    assert "held_out_mse" not in header
    assert {file.name for file in path.parent.iterdir()} == {path.name, NAMES[size]}


def test_the_release_of_anomalib_gives_the_same_weights(server, serve, tmp_path):
    shipped = {size: load_shipped(size) for size in NAMES}
    content = pack_release({size: number_names(state, size) for size, state in shipped.items()})
    for size in NAMES:
        serve("anomalib", size, content)
        assert run(tmp_path, size, "--origin", "anomalib", "--mirror", server.base) == 0
    assert server.paths == [f"/{ARCHIVE}"]
    for size, state in shipped.items():
        teacher = load_teacher(tmp_path / f"{size}.safetensors", size)
        assert all(torch.equal(value, state[name]) for name, value in teacher.state_dict().items())


def test_a_file_that_a_user_put_there_needs_no_network(server, serve, tmp_path):
    content = dump(load_shipped("S"))
    serve("nelson1425", "S", content)
    (tmp_path / NAMES["S"]).write_bytes(content)
    assert run(tmp_path, "S", "--mirror", server.base) == 0
    assert server.paths == []


@pytest.mark.parametrize("origin", ["nelson1425", "anomalib"])
def test_other_bytes_than_published_are_refused(server, tmp_path, capsys, origin):
    server.payload = dump(load_shipped("S"))
    assert run(tmp_path, "S", "--origin", origin, "--mirror", server.base) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    file = FILES[origin, "S"]
    assert line.startswith(f"DownloadError: expected {file.checksum} for {server.base}/")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_has_the_steps(tmp_path, capsys):
    assert run(tmp_path, "M", "--mirror", "http://127.0.0.1:9") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    for step in (
        f"fetch https://raw.githubusercontent.com/nelson1425/EfficientAD/{COMMIT}/models/teacher_medium.pth on another",
        "check that it has git hash-object 29db5c54b462ef32eec8ac1046b4a9770ac1dcb5",
        f"put it at {tmp_path / NAMES['M']} and run this command again",
        "--origin",
    ):
        assert step in line
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_is_an_address(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, "S", "--mirror", "server/folder")
    assert "expected an address such as https://server/folder, got server/folder" in capsys.readouterr().err


def test_a_file_that_does_not_fit_is_one_line(server, serve, tmp_path, capsys):
    serve("nelson1425", "S", dump({"0.weight": torch.zeros(3)}))
    assert run(tmp_path, "S", "--mirror", server.base) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("ModelError: expected the weights of a teacher of size S")
    assert not (tmp_path / "S.safetensors").exists()
