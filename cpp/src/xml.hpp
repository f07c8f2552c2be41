// What OpenVINO's reader of XML takes as it stands, and Python's refuses.
#pragma once

#include <string>

namespace efficientad {

// Returns what is wrong with an IR's text: a control character, or a reference such as &none; to no character; nothing
// where there is no such thing.
std::string find_fault(const std::string& text);

}  // namespace efficientad
