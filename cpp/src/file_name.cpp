#include "file_name.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

namespace efficientad {
namespace {

constexpr std::size_t kMostBytes = 240;  // of a name that is made
constexpr std::size_t kHashDigits = 16;
constexpr const char* kHexadecimal = "0123456789abcdef";

// The first digits of the SHA-256.
std::string hash(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("expected libcrypto to know SHA-256");
  }
  std::string digits;
  for (std::size_t index = 0; index < kHashDigits; ++index) {
    digits += kHexadecimal[index % 2 == 0 ? digest[index / 2] >> 4 : digest[index / 2] & 15];
  }
  return digits;
}

bool is_shortened(const std::string& name) {
  if (name.size() < kHashDigits + 1 || name[name.size() - kHashDigits - 1] != '~') return false;
  return name.find_first_not_of(kHexadecimal, name.size() - kHashDigits) == std::string::npos;
}

}  // namespace

std::string name_product(const std::string& image, const std::string& suffix) {
  const std::size_t slash = image.rfind('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::string last = image.substr(start);
  if (last.size() + suffix.size() <= kMostBytes && !is_shortened(last)) return image + suffix;
  const std::string ending = "~" + hash(last) + suffix;
  std::size_t room = kMostBytes - ending.size();
  while (room < last.size() && (static_cast<std::uint8_t>(last[room]) & 0xC0) == 0x80) --room;
  return image.substr(0, start) + last.substr(0, std::min(room, last.size())) + ending;
}

}  // namespace efficientad
