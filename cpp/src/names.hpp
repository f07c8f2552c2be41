// The names that exported files, runtimes and results share: deploy/format/names.py and files.py in C++.
#pragma once

namespace efficientad {

constexpr const char* kImage = "image";  // the graph's input
constexpr const char* kAnomalyMap = "anomaly_map";
constexpr const char* kAnomalyScore = "anomaly_score";

constexpr const char* kRepository = "openvino";  // folder of an IR for each precision
constexpr const char* kModelFile = "model.xml";

}  // namespace efficientad
