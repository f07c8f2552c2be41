// What travels inside an IR: deploy/format/metadata.py in C++.
#pragma once

#include <map>
#include <string>

#include "efficientad/detector.hpp"

namespace efficientad {

constexpr const char* kSection = "model_info";  // of the IR's rt_info

// Reads a header; ModelError names what is missing in the model `where`.
ModelHeader parse_metadata(const std::map<std::string, std::string>& values, const std::string& where);

}  // namespace efficientad
