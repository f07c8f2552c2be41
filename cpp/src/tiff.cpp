#include "tiff.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>

namespace efficientad {
namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr std::size_t kMostTags = 1000;         // images have some twenty; a decoder's work grows with their square
constexpr std::uint32_t kMostSamples = 4;       // of a pixel
constexpr std::uint32_t kLargestTile = 1024;    // px: a side that small images may have for their tile
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 32;  // bytes
constexpr std::uint32_t kOrientation = 274;
const std::set<std::uint32_t> kRead = {256, 257, 258, 259, 262, 273, 274, 277, 279, 322, 323, 324, 325, 339};

// Bytes of a value by its type.
std::uint64_t get_size(std::uint32_t kind) {
  constexpr std::array<std::uint64_t, 14> sizes = {1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
  return kind < sizes.size() ? sizes[kind] : 1;
}

// Whole-number values by tag, none for other types.
struct Directory {
  std::map<std::uint32_t, Numbers> entries;
  std::uint32_t following = 0;

  Numbers get(std::uint32_t tag) const {
    const auto entry = entries.find(tag);
    return entry == entries.end() ? Numbers{} : entry->second;
  }

  std::uint32_t get_largest(std::uint32_t tag, std::uint32_t absent) const {
    const Numbers values = get(tag);
    return values.empty() ? absent : *std::max_element(values.begin(), values.end());
  }
};

// Refuses a directory whose values are larger than the file: they lie on each other, and a decoder copies each.
void check_values(const Bytes& payload, std::size_t first, std::size_t count, bool big) {
  std::uint64_t claimed = 0;
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t position = first + 12 * index;
    claimed += get_size(read_number(payload, position + 2, 2, big)) *
               std::uint64_t{read_number(payload, position + 4, 4, big)};
  }
  if (claimed > payload.size()) {
    throw ContainerError("is damaged (its TIFF tags claim more values than it has bytes)");
  }
  if (count > kMostTags) {
    throw ContainerError("has " + std::to_string(count) + " TIFF tags, more than the bound of " +
                         std::to_string(kMostTags) + ": save it without them");
  }
}

Directory read_directory(const Bytes& payload) {
  const bool big = payload.at(0) == 'M';
  Directory directory;
  const std::size_t start = read_number(payload, 4, 4, big);
  const std::size_t count = read_number(payload, start, 2, big);
  check_values(payload, start + 2, count, big);
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t position = start + 2 + 12 * index;
    const std::uint32_t tag = read_number(payload, position, 2, big);
    if (kRead.count(tag) == 0) continue;
    if (directory.entries.count(tag) != 0 && tag != kOrientation) {  // decoders differ in which of them they take
      throw ContainerError("is damaged (a TIFF tag comes twice)");
    }
    Numbers& numbers = directory.entries[tag];
    const std::uint32_t kind = read_number(payload, position + 2, 2, big);
    const std::size_t values = read_number(payload, position + 4, 4, big);
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

Directory open_tiff(const Bytes& payload) {
  try {
    return read_directory(payload);
  } catch (const std::out_of_range&) {
    throw ContainerError("is cut short (its TIFF directory is not whole)");
  }
}

// Unpacks a strip or tile for its checksum alone: OpenCV gives an image with noise in place of an error.
void check_deflated(const std::uint8_t* block, std::size_t length) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  Bytes part(std::size_t{1} << 20);
  std::uint64_t unpacked = 0;
  stream.next_in = const_cast<Bytef*>(block);
  stream.avail_in = static_cast<uInt>(length);
  int state = Z_OK;
  while (state == Z_OK && unpacked <= kLargestBlock) {
    stream.next_out = part.data();
    stream.avail_out = static_cast<uInt>(part.size());
    state = inflate(&stream, Z_NO_FLUSH);
    unpacked += part.size() - stream.avail_out;
  }
  inflateEnd(&stream);
  if (state == Z_BUF_ERROR) throw ContainerError("is cut short (a strip or tile ends early)");
  if (state == Z_OK) throw ContainerError("is damaged (a strip or tile holds more than any image)");
  if (state != Z_STREAM_END) throw ContainerError("is damaged (a strip or tile does not have its checksum)");
}

void check_blocks(const Directory& directory, const Bytes& payload) {
  const Numbers compression = directory.get(259);
  const bool deflated = compression == Numbers{8} || compression == Numbers{32946};
  for (const std::uint32_t tag : {273u, 324u}) {
    const Numbers offsets = directory.get(tag);
    const Numbers lengths = directory.get(tag == 273 ? 279 : 325);
    for (std::size_t index = 0; index < std::min(offsets.size(), lengths.size()); ++index) {
      if (std::uint64_t{offsets[index]} + lengths[index] > payload.size()) {
        throw ContainerError("is cut short (a strip or tile lies beyond its end)");
      }
      if (deflated) check_deflated(payload.data() + offsets[index], lengths[index]);
    }
  }
}

void check_samples(const Directory& directory) {
  if (directory.get(262) == Numbers{5}) throw ContainerError(kCmyk);
  const Numbers formats = directory.get(339);
  if (std::count(formats.begin(), formats.end(), 3u) > 0) {
    throw ContainerError("holds float samples, whose range is unknown: scale it to 8 or 16 bits");
  }
  const std::uint32_t samples = directory.get_largest(277, 1);
  if (samples > kMostSamples) {
    throw ContainerError("holds " + std::to_string(samples) + " samples a pixel: save it as grey or RGB");
  }
}

}  // namespace

Container inspect_tiff(const Bytes& payload) {
  const Directory directory = open_tiff(payload);
  if (directory.following != 0) throw ContainerError("holds several pages: save the one page that is meant");
  check_blocks(directory, payload);
  check_samples(directory);
  const std::uint32_t width = directory.get_largest(256, 0);
  const std::uint32_t height = directory.get_largest(257, 0);
  if (width == 0 || height == 0) throw ContainerError("is damaged (its TIFF tags name no width or height)");
  if (directory.get_largest(322, 0) > std::max<std::uint64_t>(kLargestTile, std::uint64_t{width} + 15) ||
      directory.get_largest(323, 0) > std::max<std::uint64_t>(kLargestTile, std::uint64_t{height} + 15)) {
    throw ContainerError("is damaged (its tiles are larger than the image)");
  }
  return {height, width, true};
}

int read_orientation(const Bytes& payload, std::size_t position) {
  if (position >= payload.size()) return 1;
  try {
    const Bytes directory(payload.begin() + static_cast<std::ptrdiff_t>(position), payload.end());
    const Numbers orientation = read_directory(directory).get(kOrientation);
    return orientation.empty() ? 1 : static_cast<int>(orientation.front());
  } catch (const std::out_of_range&) {
    return 1;
  } catch (const ContainerError&) {
    return 1;
  }
}

}  // namespace efficientad
