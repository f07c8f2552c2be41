// The directory of a TIFF 6.0 file, read without decoding its pixels: data/files/tiff.py in C++.
#pragma once

#include "container.hpp"

namespace efficientad {

// Reads the first directory; ContainerError as inspect_container.
Container inspect_tiff(const Bytes& payload);

// Returns the EXIF orientation that a directory, the bytes from `position` on, holds; 1, upright, where there is none.
int read_orientation(const Bytes& payload, std::size_t position);

}  // namespace efficientad
