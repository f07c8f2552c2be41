// An IR that states its own checksum: model/checksum.py and deploy/format/sealing.py in C++.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <openvino/runtime/tensor.hpp>

namespace efficientad {

// An IR's two files, read whole; what was checked is what is loaded.
struct ModelFiles {
  std::string text;     // of the .xml
  ov::Tensor weights;   // of the .bin, without what a later threshold appended
};

// Reads an IR and checks it: the sha256 of all bytes but the digits in which it stands.
//
// Throws ModelError where a file cannot be read or is cut short, where the .xml states no checksum, or another one, or has
// characters that no XML has.
ModelFiles read_model_files(const std::filesystem::path& file);

}  // namespace efficientad
