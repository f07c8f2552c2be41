// Names of files made from those of images: data/files/names.py in C++.
#pragma once

#include <string>

namespace efficientad {

// Returns the name of a file that is made from an image: the image's and a suffix, in the same folders. A last part that
// would be longer than file systems take is cut, and a hash of it takes the end's place.
std::string name_product(const std::string& image, const std::string& suffix);

}  // namespace efficientad
