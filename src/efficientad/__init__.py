"""EfficientAD (Batzner, Heckler, König, WACV 2024, arXiv 2303.14535) for inspection stations."""

import sys

__version__ = "0.1.0"

# By this package OpenVINO and NNCF would tell a server on the internet what they are used for. Without it they do not.
# It has to be hidden before OpenVINO is imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
