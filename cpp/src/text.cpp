#include "efficientad/text.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace efficientad {
namespace {

// A character of a text, or a byte that belongs to none.
struct Character {
  std::uint32_t code;
  std::size_t length;  // bytes
  bool valid;          // UTF-8
};

Character read_character(const std::string& text, std::size_t position) {
  const auto first = static_cast<std::uint8_t>(text[position]);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  std::uint32_t code = first & (0x7F >> length);
  bool valid = first >= 0xC2 && first <= 0xF4 && position + length <= text.size();
  for (std::size_t index = 1; valid && index < length; ++index) {
    const auto byte = static_cast<std::uint8_t>(text[position + index]);
    valid = (byte & 0xC0) == 0x80;
    code = code << 6 | (byte & 0x3F);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  valid = valid && code >= least[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  if (valid) return {code, length, true};
  return {first, 1, false};
}

// Controls, and what changes the direction or the line of the text around it.
bool is_printable(std::uint32_t code) {
  const auto is_in = [code](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
  return !(code < 0x20 || is_in(0x7F, 0xA0) || code == 0xAD || code == 0x61C || code == 0x1680 || code == 0x3000 || is_in(0x2000, 0x200F) ||
           is_in(0x2028, 0x202F) || is_in(0x205F, 0x206F) || is_in(0xE000, 0xF8FF) || code == 0xFEFF ||
           is_in(0xFFF0, 0xFFFB) || (code & 0xFFFE) == 0xFFFE || code >= 0xE0000);
}

std::string write_code(const char* format, std::uint32_t code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, code);
  return text.data();
}

std::string escape(const Character& one) {
  if (!one.valid) return write_code("\\udc%02x", one.code);
  if (one.code == '\n') return "\\n";
  if (one.code == '\r') return "\\r";
  if (one.code == '\t') return "\\t";
  return write_code(one.code < 0x100 ? "\\x%02x" : one.code < 0x10000 ? "\\u%04x" : "\\U%08x", one.code);
}

std::string escape_json(const Character& one) {
  if (!one.valid) return write_code("\\udc%02x", one.code);
  if (one.code < 0x10000) return write_code("\\u%04x", one.code);
  const std::uint32_t rest = one.code - 0x10000;
  return write_code("\\u%04x", 0xD800 + (rest >> 10)) + write_code("\\u%04x", 0xDC00 + (rest & 0x3FF));
}

}  // namespace

std::string make_printable(const std::string& text) {
  std::string printable;
  for (std::size_t position = 0; position < text.size();) {
    const Character one = read_character(text, position);
    printable += one.valid && is_printable(one.code) ? text.substr(position, one.length) : escape(one);
    position += one.length;
  }
  return printable;
}

std::string quote_json(const std::string& text) {
  std::string quoted = "\"";
  for (std::size_t position = 0; position < text.size();) {
    const Character one = read_character(text, position);
    if (one.code == '"' || one.code == '\\') quoted += '\\';
    quoted += one.valid && is_printable(one.code) ? text.substr(position, one.length) : escape_json(one);
    position += one.length;
  }
  return quoted + '"';
}

}  // namespace efficientad
