"""The names that exported files, runtimes and results share, and cpp/src/names.hpp, too; importing it loads nothing."""

IMAGE = "image"  # the graph's input
ANOMALY_MAP, ANOMALY_SCORE = "anomaly_map", "anomaly_score"  # its outputs that no threshold is part of
DISPLAY_SCORE, IS_ANOMALOUS = "display_score", "is_anomalous"  # its verdict
OUTPUTS = (ANOMALY_MAP, ANOMALY_SCORE, DISPLAY_SCORE, IS_ANOMALOUS)  # in their order

NORMAL, ANOMALOUS = "normal", "anomalous"  # verdicts in words

WEIGHTS_SUFFIX, ONNX_SUFFIX, IR_SUFFIX = ".safetensors", ".onnx", ".xml"  # torch, onnxruntime, OpenVINO
IR_WEIGHTS_SUFFIX = ".bin"  # of the file beside an IR
