// Text that files and models bring along, for people and programs to read: pipeline/printable.py in C++.
#pragma once

#include <string>

namespace efficientad {

// Returns a text whose control characters, and bytes that are no UTF-8, are written out: they move a terminal's cursor.
std::string make_printable(const std::string& text);

// Returns a text as a JSON string in UTF-8, with the same written out as \uXXXX: a byte that is no UTF-8 as \udcXX, which
// Python reads back.
std::string quote_json(const std::string& text);

}  // namespace efficientad
