#include "xml.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

namespace efficientad {
namespace {

constexpr std::size_t kLongest = 12;  // letters of a reference
const std::set<std::string> kNamed = {"amp", "apos", "gt", "lt", "quot"};

bool is_control(char letter) {
  const auto code = static_cast<std::uint8_t>(letter);
  return code < 0x20 && code != '\t' && code != '\n' && code != '\r';
}

// Whether XML allows a character.
bool is_character(std::uint64_t code) {
  const bool reserved = (code >= 0xD800 && code <= 0xDFFF) || code == 0xFFFE || code == 0xFFFF;
  return (code >= 0x20 || code == '\t' || code == '\n' || code == '\r') && code <= 0x10FFFF && !reserved;
}

// Whether `name`, what stands between & and ;, means a character: by its name, or as #10 or #xA.
bool is_reference(const std::string& name) {
  if (name.rfind('#', 0) != 0) return kNamed.count(name) > 0;
  const bool hexadecimal = name.rfind("#x", 0) == 0;
  const std::string digits = name.substr(hexadecimal ? 2 : 1);
  const char* allowed = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
  if (digits.empty() || digits.find_first_not_of(allowed) != std::string::npos) return false;
  return is_character(std::stoull(digits, nullptr, hexadecimal ? 16 : 10));
}

}  // namespace

std::string find_fault(const std::string& text) {
  if (std::any_of(text.begin(), text.end(), is_control)) return "a control character";
  for (std::size_t place = text.find('&'); place != std::string::npos; place = text.find('&', place + 1)) {
    const std::string after = text.substr(place + 1, kLongest);
    const std::string name = after.substr(0, after.find(';'));
    if (name.size() == after.size() || !is_reference(name)) return "a reference to no character, &" + name;
  }
  return "";
}

}  // namespace efficientad
