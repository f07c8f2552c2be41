// What the program says to people: its own words on stderr, and nothing of the libraries beneath it.
#pragma once

#include <string>

namespace efficientad {

// Takes stderr for `say` alone: decoders of images and OpenVINO write to it on their own, more than a line for a damaged
// file, which is reported anyway.
void silence_libraries();

// Writes a line to stderr; `text` may hold file names as they are.
void say(const std::string& text);

}  // namespace efficientad
