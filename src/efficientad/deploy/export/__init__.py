"""Detector to ONNX and OpenVINO, and the proof that they agree."""
