// Errors that the user can put right; each says what was expected, what came, and what to do.
#pragma once

#include <stdexcept>

namespace efficientad {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A model is missing, foreign, or does not run on the device.
struct ModelError : Error {
  using Error::Error;
};

// An image cannot be read, or is not 8-bit RGB.
struct ImageError : Error {
  using Error::Error;
};

}  // namespace efficientad
