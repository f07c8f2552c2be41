// What the programs say: results on stdout, their own words on stderr, and nothing of the libraries beneath them.
#pragma once

#include <string>

namespace efficientad {

// Takes stderr for `say` alone: decoders of images and OpenVINO write to it on their own, more than a line for a damaged
// file, which is reported anyway.
void silence_libraries();

// Writes a line to stderr; `text` may hold names and values of files as they are.
void say(const std::string& text);

// Writes a line to stdout at once; Error where it does not take it, as on a full disk.
void print_line(const std::string& line);

}  // namespace efficientad
