// What the bytes of an image file promise, read without decoding them: data/files/containers.py in C++.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "bytes.hpp"

namespace efficientad {

constexpr const char* kCmyk = "holds CMYK colours, whose look depends on a printer: convert it to RGB";

// A reason that reads after "the file".
struct ContainerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Container {
  std::uint64_t height = 0;  // px, as stored
  std::uint64_t width = 0;
  bool alpha = false;   // whether the image may carry transparency
  int orientation = 0;  // EXIF's, 1 .. 8, of a WebP: not every version of OpenCV applies it; 0 for other formats
};

// Walks the bytes of an image file and returns what it holds.
//
// An image decoder fills the missing part of a cut file with grey and says nothing that a program can see. So the
// container is walked first. Throws ContainerError: unknown format, cut short, damaged, several images in one file,
// CMYK colours or float samples.
Container inspect_container(const Bytes& payload);

}  // namespace efficientad
