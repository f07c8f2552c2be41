"""The command, from its start to its end."""

import os
import shutil
import signal
import ssl
import subprocess
import sys

import httpx
import pytest
from running_server import TOKEN, draw_part, run_station

from efficientad.cli import main
from efficientad.data.images.encoding import encode_png
from efficientad.errors import EfficientADError
from efficientad.serving.server import TOKEN_VARIABLE, find_certificate, listen, name_address, read_token


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_and_ends_in_order(models, number):
    line = [sys.executable, "-m", "efficientad.cli", "serve", f"gear={models}", "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            names, _, address = process.stdout.readline().strip().partition(" at ")
            assert names == "gear"
            assert address.startswith("http://127.0.0.1:")
            assert httpx.post(f"{address}/predict", content=encode_png(draw_part())).json()["model"] == "gear"
        finally:
            process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A certificate of 127.0.0.1 and its key."""
    if (program := shutil.which("openssl")) is None:
        pytest.skip("expected the program openssl to make a certificate, found none")
    folder = tmp_path_factory.mktemp("tls")
    line = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=station", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]  # fmt: skip
    subprocess.run(line, check=True, capture_output=True)
    return folder


def test_with_a_certificate_the_server_speaks_https(loaded, pem):
    certificate = find_certificate(pem / "certificate.pem", pem / "key.pem")
    trusted = ssl.create_default_context(cafile=pem / "certificate.pem")
    with run_station({"washer": loaded["washer"]}, certificate=certificate, verify=trusted) as client:
        assert str(client.base_url).startswith("https://")
        assert client.post("/predict", content=encode_png(draw_part())).json()["verdict"] == "normal"


def test_a_certificate_needs_its_key(pem):
    assert find_certificate(None, None) is None
    for files in ((pem / "certificate.pem", None), (None, pem / "key.pem")):
        with pytest.raises(EfficientADError, match="name both"):
            find_certificate(*files)
    for files in ((pem / "key.pem", pem / "key.pem"), (pem / "certificate.pem", pem / "absent.pem")):
        with pytest.raises(EfficientADError, match="expected a certificate in"):
            find_certificate(*files)


def test_other_machines_need_a_token(models, capsys):
    assert main(["serve", str(models), "--host", "0.0.0.0", "--port", "0"]) == 1
    line = capsys.readouterr().err
    assert "expected a token to serve at 0.0.0.0" in line
    assert "--token-file" in line


def test_a_token_comes_from_a_file_or_else_from_the_environment(tmp_path, monkeypatch):
    assert read_token(None, "127.0.0.1") is None
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    assert read_token(None, "0.0.0.0") == read_token(None, "127.0.0.1") == TOKEN
    (tmp_path / "token").write_text(f"{TOKEN[::-1]}\n")
    assert read_token(tmp_path / "token", "0.0.0.0") == TOKEN[::-1]


@pytest.mark.parametrize("text", ["", "short", "x" * 20 + "\n" + "x" * 20, "ß" * 20, "two words, and some more"])
def test_a_token_that_is_easily_guessed_or_fits_into_no_header_is_refused(tmp_path, text):
    (tmp_path / "token").write_text(text)
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(EfficientADError, match="expected 16 or more letters and digits"):
            read_token(tmp_path / "token", host)


def test_a_taken_port_is_named(models, capsys):
    with listen("127.0.0.1", 0) as taken:
        port = name_address(taken).rpartition(":")[2]
        assert main(["serve", str(models), "--port", port]) == 1
    assert f"expected a free port {port} at 127.0.0.1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["serve", str(models), "--port", "99999"])
    assert "expected a port from 0 to 65535, got 99999" in capsys.readouterr().err


def test_ipv6_addresses_have_brackets():
    with listen("::1", 0) as listening:
        assert name_address(listening).startswith("http://[::1]:")


def test_without_the_extra_the_command_says_how_to_get_it(models, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientad.serving.app", None)  # as when fastapi is missing
    assert main(["serve", str(models)]) == 1
    assert "pip install 'efficientad-dvc[serve]'" in capsys.readouterr().err


def test_a_missing_token_file_is_one_line(models, tmp_path, capsys):
    assert main(["serve", str(models), "--token-file", str(tmp_path / "absent")]) == 1
    assert "absent" in capsys.readouterr().err
    assert os.environ.get(TOKEN_VARIABLE) is None
