// Names of files that people and programs read, and names of files made from them: data/files/names.py in C++.
#pragma once

#include <string>

namespace efficientad {

// Returns a text whose control characters, and bytes that are no UTF-8, are written out: they move a terminal's cursor.
std::string make_printable(const std::string& text);

// Returns a text as a JSON string in UTF-8, with the same written out as \uXXXX: a byte that is no UTF-8 as \udcXX, which
// Python reads back.
std::string quote_json(const std::string& text);

// Returns the name of a file that is made from an image: the image's and a suffix, in the same folders. A last part that
// would be longer than file systems take is cut, and a hash of it takes the end's place.
std::string name_product(const std::string& image, const std::string& suffix);

}  // namespace efficientad
