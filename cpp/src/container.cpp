#include "container.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <locale>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

namespace efficientad {
namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr const char* kCmyk = "holds CMYK colours, whose look depends on a printer: convert it to RGB";

bool has_text(const Bytes& payload, std::size_t position, std::string_view text) {
  return payload.size() >= position + text.size() &&
         std::equal(text.begin(), text.end(), payload.begin() + static_cast<std::ptrdiff_t>(position),
                    [](char expected, std::uint8_t byte) { return static_cast<std::uint8_t>(expected) == byte; });
}

// Reads `count` bytes as a whole number; std::out_of_range beyond the end.
std::uint32_t read_number(const Bytes& payload, std::size_t position, std::size_t count, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < count; ++index) {
    value = value << 8 | payload.at(position + (big_endian ? index : count - 1 - index));
  }
  return value;
}

std::uint32_t read_big(const Bytes& payload, std::size_t position, std::size_t count) {
  return read_number(payload, position, count, true);
}

std::uint32_t read_little(const Bytes& payload, std::size_t position, std::size_t count) {
  return read_number(payload, position, count, false);
}

std::string describe_cut(std::size_t length, double needed) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::fixed << std::setprecision(0) << "is cut short (" << length << " of " << needed << " bytes)";
  return text.str();
}

// Walks the segments and scans up to the end-of-image marker; what follows it is ignored.
bool inspect_jpeg(const Bytes& payload) {
  std::size_t position = 2;
  int components = 0;
  while (position + 1 < payload.size()) {
    const std::uint8_t marker = payload[position + 1];
    const bool stuffed = marker == 0x00 || marker == 0xFF || (marker >= 0xD0 && marker <= 0xD7);
    if (payload[position] != 0xFF || stuffed) {
      ++position;
      continue;
    }
    position += 2;
    if (marker == 0xD9) {
      if (components == 4) throw ContainerError(kCmyk);
      return false;
    }
    if (position + 2 > payload.size()) break;
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame && position + 8 <= payload.size()) components = payload[position + 7];
    position += read_big(payload, position, 2);
  }
  throw ContainerError("is cut short (no JPEG end-of-image marker)");
}

std::array<std::uint32_t, 256> make_checksum_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0u);
    table[byte] = value;
  }
  return table;
}

// CRC-32 of the bytes [begin, end), as PNG has it.
std::uint32_t compute_checksum(const Bytes& payload, std::size_t begin, std::size_t end) {
  static const std::array<std::uint32_t, 256> table = make_checksum_table();
  std::uint32_t value = 0xFFFFFFFFu;
  for (std::size_t index = begin; index < end; ++index) value = value >> 8 ^ table[(value ^ payload[index]) & 0xFF];
  return ~value;
}

// Walks the chunks, each with its checksum, up to IEND.
bool inspect_png(const Bytes& payload) {
  bool alpha = payload.size() > 25 && (payload[25] == 4 || payload[25] == 6);
  std::size_t position = 8;
  while (position + 12 <= payload.size()) {
    const std::size_t end = position + 12 + read_big(payload, position, 4);
    if (end > payload.size()) break;
    if (compute_checksum(payload, position + 4, end - 4) != read_big(payload, end - 4, 4)) {
      throw ContainerError("is damaged (a PNG chunk does not have its checksum)");
    }
    if (has_text(payload, position + 4, "acTL")) {
      throw ContainerError("is animated: save the one frame that is meant");
    }
    alpha = alpha || has_text(payload, position + 4, "tRNS");
    if (has_text(payload, position + 4, "IEND")) return alpha;
    position = end;
  }
  throw ContainerError("is cut short (no PNG end chunk)");
}

// The first directory of a TIFF: whole-number values by tag, none for other types.
struct TiffDirectory {
  std::map<std::uint32_t, Numbers> entries;
  std::uint32_t following = 0;

  Numbers get(std::uint32_t tag) const {
    const auto entry = entries.find(tag);
    return entry == entries.end() ? Numbers{} : entry->second;
  }
};

TiffDirectory read_tiff_directory(const Bytes& payload) {
  const bool big = payload[0] == 'M';
  TiffDirectory directory;
  const std::size_t start = read_number(payload, 4, 4, big);
  const std::size_t count = read_number(payload, start, 2, big);
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t position = start + 2 + 12 * index;
    const std::uint32_t kind = read_number(payload, position + 2, 2, big);
    const std::size_t values = read_number(payload, position + 4, 4, big);
    Numbers& numbers = directory.entries[read_number(payload, position, 2, big)];
    numbers.clear();
    if (kind != 3 && kind != 4) continue;
    const std::size_t width = kind == 3 ? 2 : 4;
    const std::size_t first = values * width > 4 ? read_number(payload, position + 8, 4, big) : position + 8;
    for (std::size_t value = 0; value < values; ++value) {
      numbers.push_back(read_number(payload, first + value * width, width, big));
    }
  }
  directory.following = read_number(payload, start + 2 + 12 * count, 4, big);
  return directory;
}

TiffDirectory open_tiff(const Bytes& payload) {
  try {
    return read_tiff_directory(payload);
  } catch (const std::out_of_range&) {
    throw ContainerError("is cut short (its TIFF directory is not whole)");
  }
}

// The strips or tiles must lie inside the file and no other page follow.
bool inspect_tiff(const Bytes& payload) {
  const TiffDirectory directory = open_tiff(payload);
  if (directory.following != 0) throw ContainerError("holds several pages: save the one page that is meant");
  for (const std::uint32_t tag : {273u, 324u}) {
    const Numbers offsets = directory.get(tag);
    const Numbers lengths = directory.get(tag == 273 ? 279 : 325);
    for (std::size_t index = 0; index < std::min(offsets.size(), lengths.size()); ++index) {
      if (std::uint64_t{offsets[index]} + lengths[index] > payload.size()) {
        throw ContainerError("is cut short (a strip or tile lies beyond its end)");
      }
    }
  }
  if (directory.get(262) == Numbers{5}) throw ContainerError(kCmyk);
  const Numbers formats = directory.get(339);
  if (std::count(formats.begin(), formats.end(), 3u) > 0) {
    throw ContainerError("holds float samples, whose range is unknown: scale it to 8 or 16 bits");
  }
  return true;
}

// Compares the length with that of the pixels which the header announces.
bool inspect_bmp(const Bytes& payload) {
  if (payload.size() < 34) throw ContainerError("is cut short (its BMP header is not whole)");
  const double width = static_cast<std::int32_t>(read_little(payload, 18, 4));
  const double height = static_cast<std::int32_t>(read_little(payload, 22, 4));
  const std::uint32_t bits = read_little(payload, 28, 2);
  const std::uint32_t compression = read_little(payload, 30, 4);
  const double row = std::floor((width * bits + 31) / 32) * 4;  // double: a broken header's product may be huge
  const double needed = read_little(payload, 10, 4) + row * std::abs(height);
  if ((compression == 0 || compression == 3) && needed > static_cast<double>(payload.size())) {
    throw ContainerError(describe_cut(payload.size(), needed));
  }
  return bits == 32;
}

// EXIF's orientation in the chunks of a WebP; 1, upright, where there is none.
int find_orientation(const Bytes& payload) {
  std::size_t position = 12;
  while (position + 8 <= payload.size() && !has_text(payload, position, "EXIF")) {
    const std::size_t length = read_little(payload, position + 4, 4);
    position += 8 + length + length % 2;
  }
  position += has_text(payload, position + 8, "Exif") ? 14 : 8;
  if (position >= payload.size()) return 1;
  try {
    const Bytes directory(payload.begin() + static_cast<std::ptrdiff_t>(position), payload.end());
    const Numbers orientation = read_tiff_directory(directory).get(274);
    return orientation.empty() ? 1 : static_cast<int>(orientation.front());
  } catch (const std::out_of_range&) {
    return 1;
  }
}

// Compares the length with that of the RIFF header and looks for the animation flag.
Container inspect_webp(const Bytes& payload) {
  const std::size_t needed = std::size_t{read_little(payload, 4, 4)} + 8;
  if (payload.size() < std::max<std::size_t>(needed, 30))
    throw ContainerError(describe_cut(payload.size(), static_cast<double>(needed)));
  if (has_text(payload, 12, "VP8X") && (payload[20] & 0x02) != 0) {
    throw ContainerError("is animated: save the one frame that is meant");
  }
  return {true, find_orientation(payload)};
}

}  // namespace

Container inspect_container(const Bytes& payload) {
  using namespace std::string_view_literals;
  if (has_text(payload, 0, "\xFF\xD8")) return {inspect_jpeg(payload)};
  if (has_text(payload, 0, "\x89PNG\r\n\x1A\n")) return {inspect_png(payload)};
  if (has_text(payload, 0, "II*\0"sv) || has_text(payload, 0, "MM\0*"sv)) return {inspect_tiff(payload)};
  if (has_text(payload, 0, "BM")) return {inspect_bmp(payload)};
  if (has_text(payload, 0, "RIFF") && has_text(payload, 8, "WEBP")) return inspect_webp(payload);
  throw ContainerError(payload.empty() ? "is empty" : "is not a JPEG, PNG, TIFF, BMP or WebP image");
}

}  // namespace efficientad
