"""`make check` finds known vulnerabilities in the pinned packages, and passes where nobody can be asked."""

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from import_closure import ROOT

VULNERABLE = {
    "vulns": [{
        "id": "PYSEC-1", "schema_version": "1.0.0", "summary": "runs what it reads",
        "affected": [{
            "package": {"name": "harmless", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }],
    }],
}  # fmt: skip


@pytest.fixture
def osv():
    """Stands for OSV: it knows of one vulnerability, in harmless 1.0; `status` is what it answers with."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(asked["package"]["name"])
            is_known = (asked["package"]["name"], asked["version"]) == ("harmless", "1.0")
            body = json.dumps(VULNERABLE if is_known else {}).encode()
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def audit(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))

    def run(pins: str, address: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "pins.txt").write_text(pins, "utf-8")
        command = [sys.executable, ROOT / "stages/audit.py", "--constraints", tmp_path / "pins.txt"]
        return subprocess.run([*command, "--osv-url", address], capture_output=True, text=True, timeout=60)

    return run


def locate(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1/query"


def test_a_known_vulnerability_fails_the_check_and_says_what_mends_it(audit, osv):
    done = audit("fine==3.1\nharmless==1.0\n", locate(osv))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "harmless 1.0: PYSEC-1, mended in 2.0"


def test_every_package_is_asked_for(audit, osv):
    done = audit("fine==3.1\nharmless==2.0\n", locate(osv))
    assert (done.returncode, done.stdout) == (0, "audit: no known vulnerability in 2 packages\n")
    assert sorted(osv.asked) == ["fine", "harmless"]


@pytest.mark.parametrize("status", [None, 503], ids=["no network", "a service that fails"])
def test_where_nobody_can_be_asked_one_line_says_so_and_the_check_passes(audit, osv, status):
    osv.status = status
    done = audit("harmless==1.0\n", "http://127.0.0.1:9/v1/query" if status is None else locate(osv))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"audit: http://127.0.0.1:\d+/v1/query could not be asked \(.*\): no package was checked\n", done.stdout
    )


def test_a_file_that_pins_nothing_is_no_lack_of_network(audit):
    done = audit("harmless>=1.0\n", "http://127.0.0.1:9/v1/query")
    assert done.returncode == 1
    assert done.stderr.startswith("audit: expected an answer of pip-audit")


def test_make_check_runs_it():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert "python stages/audit.py" in recipe[1]
