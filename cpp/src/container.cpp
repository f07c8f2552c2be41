#include "container.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "tiff.hpp"

namespace efficientad {
namespace {

constexpr std::uint32_t kCoreHeader = 12;  // bytes

std::string describe_cut(std::size_t length, double needed) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::fixed << std::setprecision(0) << "is cut short (" << length << " of " << needed << " bytes)";
  return text.str();
}

// Walks the segments and scans up to the end-of-image marker; what follows it is ignored.
Container inspect_jpeg(const Bytes& payload) {
  Container container;
  std::size_t position = 2;
  int components = 0;
  while (position + 1 < payload.size()) {
    const std::uint8_t marker = payload[position + 1];
    const bool stuffed = marker <= 0x01 || marker == 0xFF || (marker >= 0xD0 && marker <= 0xD7);
    if (payload[position] != 0xFF || stuffed) {
      ++position;
      continue;
    }
    position += 2;
    if (marker == 0xD9) {
      if (components == 4) throw ContainerError(kCmyk);
      return container;
    }
    if (position + 2 > payload.size()) break;
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame && position + 8 <= payload.size()) {
      const std::uint64_t height = read_big(payload, position + 3, 2);
      const std::uint64_t width = read_big(payload, position + 5, 2);
      components = payload[position + 7];
      if (height * width > container.height * container.width) {
        container.height = height;
        container.width = width;
      }
    }
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
Container inspect_png(const Bytes& payload) {
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
    if (has_text(payload, position + 4, "tRNS") && payload[25] == 0) {  // OpenCV drops the transparency of grey images
      throw ContainerError("names a transparent grey: flatten it first");
    }
    alpha = alpha || has_text(payload, position + 4, "tRNS");
    if (has_text(payload, position + 4, "IEND")) {
      if (!has_text(payload, 12, "IHDR")) throw ContainerError("is damaged (it does not begin with a PNG header)");
      return {read_big(payload, 20, 4), read_big(payload, 16, 4), alpha};
    }
    position = end;
  }
  throw ContainerError("is cut short (no PNG end chunk)");
}

// Compares the length with that of the pixels which the header announces.
Container inspect_bmp(const Bytes& payload) {
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
  if (read_little(payload, 14, 4) == kCoreHeader) {  // OS/2's older header, whose sides are shorter numbers
    return {read_little(payload, 20, 2), read_little(payload, 18, 2), bits == 32};
  }
  return {static_cast<std::uint64_t>(std::abs(height)), static_cast<std::uint64_t>(std::abs(width)), bits == 32};
}

// EXIF's orientation in the chunks of a WebP; 1, upright, where there is none.
int find_orientation(const Bytes& payload) {
  std::size_t position = 12;
  while (position + 8 <= payload.size() && !has_text(payload, position, "EXIF")) {
    const std::size_t length = read_little(payload, position + 4, 4);
    position += 8 + length + length % 2;
  }
  position += has_text(payload, position + 8, "Exif") ? 14 : 8;
  return read_orientation(payload, position);
}

// Reads the sides in the first chunk: extended, lossless or lossy.
Container measure_webp(const Bytes& payload) {
  if (has_text(payload, 12, "VP8X")) return {read_little(payload, 27, 3) + 1, read_little(payload, 24, 3) + 1, true};
  if (has_text(payload, 12, "VP8L")) {
    const std::uint32_t sides = read_little(payload, 21, 4);
    return {(sides >> 14 & 0x3FFF) + 1, (sides & 0x3FFF) + 1, true};
  }
  if (has_text(payload, 12, "VP8 ")) {
    return {read_little(payload, 28, 2) & 0x3FFF, read_little(payload, 26, 2) & 0x3FFF, true};
  }
  // A decoder may take pixels without a chunk around them, whose sides stand elsewhere.
  throw ContainerError("is damaged (it does not begin with a chunk of WebP)");
}

// Compares the length with that of the RIFF header and looks for the animation flag.
Container inspect_webp(const Bytes& payload) {
  const std::size_t needed = std::size_t{read_little(payload, 4, 4)} + 8;
  if (payload.size() < std::max<std::size_t>(needed, 30))
    throw ContainerError(describe_cut(payload.size(), static_cast<double>(needed)));
  if (has_text(payload, 12, "VP8X") && (payload[20] & 0x02) != 0) {
    throw ContainerError("is animated: save the one frame that is meant");
  }
  Container container = measure_webp(payload);
  container.orientation = find_orientation(payload);
  return container;
}

}  // namespace

Container inspect_container(const Bytes& payload) {
  using namespace std::string_view_literals;
  if (has_text(payload, 0, "\xFF\xD8")) return inspect_jpeg(payload);
  if (has_text(payload, 0, "\x89PNG\r\n\x1A\n")) return inspect_png(payload);
  if (has_text(payload, 0, "II*\0"sv) || has_text(payload, 0, "MM\0*"sv)) return inspect_tiff(payload);
  if (has_text(payload, 0, "BM")) return inspect_bmp(payload);
  if (has_text(payload, 0, "RIFF") && has_text(payload, 8, "WEBP")) return inspect_webp(payload);
  throw ContainerError(payload.empty() ? "is empty" : "is not a JPEG, PNG, TIFF, BMP or WebP image");
}

}  // namespace efficientad
