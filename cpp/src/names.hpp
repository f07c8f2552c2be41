// The names that exported files, runtimes and results share: deploy/format/names.py and files.py in C++.
#pragma once

namespace efficientad {

constexpr const char* kImage = "image";  // the graph's input
constexpr const char* kAnomalyMap = "anomaly_map";
constexpr const char* kAnomalyScore = "anomaly_score";

constexpr const char* kChecksum = "checksum";           // keys of an IR's metadata
constexpr const char* kWeightsBytes = "weights_bytes";  // how much of the .bin the checksum is of
constexpr const char* kVersion = "0.1";                 // MAJOR.MINOR of the packages whose models are read

constexpr const char* kRepository = "openvino";  // folder of an IR for each precision
constexpr const char* kModelFile = "model.xml";

}  // namespace efficientad
