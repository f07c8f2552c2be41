"""Nothing that the pipeline runs tells a server on the internet that it was run."""

import configparser
import subprocess
import sys

from import_closure import ROOT

IMPORTED = """
import sys
import efficientad.deploy.export.models
from nncf.telemetry.wrapper import telemetry
assert "openvino_telemetry.main" not in sys.modules
assert "Mock" in type(telemetry).__name__
"""


def test_openvino_and_nncf_find_no_telemetry():
    subprocess.run([sys.executable, "-c", IMPORTED], check=True)


def test_dvc_reports_no_use_and_asks_for_no_newer_version():
    config = configparser.ConfigParser()
    config.read(ROOT / ".dvc/config")
    assert {**config["core"]} == {"analytics": "false", "check_update": "false"}
