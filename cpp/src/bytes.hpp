// Text and whole numbers in a file's bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace efficientad {

using Bytes = std::vector<std::uint8_t>;

inline bool has_text(const Bytes& payload, std::size_t position, std::string_view text) {
  return payload.size() >= position + text.size() &&
         std::equal(text.begin(), text.end(), payload.begin() + static_cast<std::ptrdiff_t>(position),
                    [](char expected, std::uint8_t byte) { return static_cast<std::uint8_t>(expected) == byte; });
}

// Reads `count` bytes as a whole number; std::out_of_range beyond the end.
inline std::uint32_t read_number(const Bytes& payload, std::size_t position, std::size_t count, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < count; ++index) {
    value = value << 8 | payload.at(position + (big_endian ? index : count - 1 - index));
  }
  return value;
}

inline std::uint32_t read_big(const Bytes& payload, std::size_t position, std::size_t count) {
  return read_number(payload, position, count, true);
}

inline std::uint32_t read_little(const Bytes& payload, std::size_t position, std::size_t count) {
  return read_number(payload, position, count, false);
}

}  // namespace efficientad
