"""One runtime each: OpenVINO, onnxruntime, torch."""
