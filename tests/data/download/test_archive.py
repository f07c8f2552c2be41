"""Archives of every packing are unpacked, and those that mean harm are refused before they do it."""

import tarfile

import pytest
from tar_files import describe_member, pack

from efficientad.data.download import archive as module
from efficientad.data.download.archive import unpack_tar
from efficientad.errors import DownloadError


@pytest.fixture
def unpack(tmp_path):
    def run(content, limit=10_000, **options):
        (tmp_path / "a.tar").write_bytes(content)
        return unpack_tar(tmp_path / "a.tar", tmp_path / "out", limit=limit, **options)

    return run


@pytest.mark.parametrize("packing", ["", "gz", "bz2", "xz"])
def test_files_are_unpacked_whatever_the_packing(tmp_path, unpack, packing):
    seen = []
    unpack(pack({"./x/y.txt": b"hello", "z": b""}, packing), progress=lambda *step: seen.append(step))
    assert (tmp_path / "out/x/y.txt").read_bytes() == b"hello"
    assert (tmp_path / "out/z").read_bytes() == b""
    size = (tmp_path / "a.tar").stat().st_size
    assert seen[-1][1] == size
    assert 0 < seen[-1][0] <= size


def test_leading_folders_are_left_out(tmp_path, unpack):
    root = describe_member("project-1234", tarfile.DIRTYPE)
    unpack(pack({"project-1234/x/y.txt": b"hello"}, "gz", root), strip=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x"]


def test_permissions_are_those_of_new_files_here(tmp_path, unpack):
    folder = describe_member("x", tarfile.DIRTYPE)
    folder.mode = 0o000
    unpack(pack({"x/y": b""}, "gz", folder))
    (tmp_path / "own").touch()
    assert (tmp_path / "out/x/y").stat().st_mode == (tmp_path / "own").stat().st_mode
    assert (tmp_path / "out/x").stat().st_mode & 0o700 == 0o700


@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/tmp/evil", "x\\..\\evil", "C:/evil"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, unpack, name):
    with pytest.raises(DownloadError, match=r"cannot unpack .*leads out of its folder.*get it from its publisher"):
        unpack(pack({name: b"x"}))
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "y"])
def test_links_and_devices_are_refused(tmp_path, unpack, kind, target):
    with pytest.raises(DownloadError, match="x is a link or a device"):
        unpack(pack({"y": b"1"}, "gz", describe_member("x", kind, target)))
    assert not (tmp_path / "out/x").exists()


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, unpack):
    with pytest.raises(DownloadError, match="more than 10000 bytes"):
        unpack(pack({"a": bytes(9_000), "b": bytes(1_000_000)}))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_so_is_a_bomb_in_a_header(unpack):
    member = tarfile.TarInfo("x")
    member.pax_headers = {"comment": "x" * 2_000_000}
    with pytest.raises(DownloadError, match="a header of 20000"):
        unpack(pack({"a": b""}, "gz", member))


def test_so_are_too_many_files(unpack, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_COUNT", 3)
    unpack(pack(dict.fromkeys("abc", b"")))
    with pytest.raises(DownloadError, match="or 3 files"):
        unpack(pack(dict.fromkeys("defg", b"")))


@pytest.mark.parametrize("names", [("x", "./x"), ("x", "x/y"), ("x/y", "x")])
def test_a_name_that_comes_twice_is_refused(unpack, names):
    content = pack({names[0]: b"1", names[1]: b"2"})
    with pytest.raises(DownloadError, match="a name twice"):
        unpack(content)


def test_a_file_in_place_of_the_folder_is_refused(unpack):
    with pytest.raises(DownloadError, match="lies outside of a folder"):
        unpack(pack({"x": b"1"}), strip=1)


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_a_damaged_archive_is_refused(unpack, packing):
    content = pack({"x": bytes(range(256)) * 30}, packing)
    for damaged in (content[: len(content) // 2], b"an error page", b""):
        with pytest.raises(DownloadError, match="no whole tar archive"):
            unpack(damaged)
