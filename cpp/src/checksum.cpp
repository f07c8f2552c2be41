#include "checksum.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "efficientad/error.hpp"
#include "names.hpp"
#include "xml.hpp"

namespace efficientad {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 64;
constexpr std::size_t kMostPlaces = 15;  // of the number of bytes
constexpr const char* kHexadecimal = "0123456789abcdef";
constexpr const char* kRemedy = "copy it anew, or export it again (`dvc repro export`)";

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream || !text) throw ModelError("expected a model at " + file.string() + ", cannot read it; " + kRemedy);
  return text.str();
}

// Returns where the value begins of the one entry `key` of the metadata; nothing where there is none, or several.
std::optional<std::size_t> find_value(const std::string& text, const std::string& key) {
  const std::string marker = "<" + key + " value=\"";
  const std::size_t found = text.find(marker);
  if (found == std::string::npos || text.find(marker, found + 1) != std::string::npos) return std::nullopt;
  return found + marker.size();
}

std::optional<std::size_t> find_digits(const std::string& text) {
  const std::optional<std::size_t> place = find_value(text, kChecksum);
  if (!place || std::min(text.find_first_not_of(kHexadecimal, *place), text.size()) - *place < kDigits) {
    return std::nullopt;
  }
  return place;
}

// Returns how many bytes of the .bin the .xml reads; 0 where it does not say: it has no checksum then either.
std::size_t find_length(const std::string& text) {
  const std::optional<std::size_t> place = find_value(text, kWeightsBytes);
  if (!place) return 0;
  const std::size_t end = text.find_first_not_of("0123456789", *place);
  const std::size_t places = end == std::string::npos ? 0 : end - *place;
  return places == 0 || places > kMostPlaces ? 0 : std::stoull(text.substr(*place, places));
}

ov::Tensor read_weights(const fs::path& file, std::size_t length) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) {
    throw ModelError("expected weights at " + file.string() + ", got " + error.message() + "; " + kRemedy);
  }
  if (size < length) {
    throw ModelError("expected " + std::to_string(length) + " bytes of weights in " + file.string() + ", got " +
                     std::to_string(size) + ": cut short; " + kRemedy);
  }
  ov::Tensor weights(ov::element::u8, ov::Shape{length});
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(reinterpret_cast<char*>(weights.data<std::uint8_t>()), static_cast<std::streamsize>(length))) {
    throw ModelError("expected weights at " + file.string() + ", cannot read them; " + kRemedy);
  }
  return weights;
}

std::string compute_checksum(const ModelFiles& files, std::size_t place) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const std::size_t after = place + kDigits;
  if (!context || !EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) ||
      !EVP_DigestUpdate(context.get(), files.text.data(), place) ||
      !EVP_DigestUpdate(context.get(), files.text.data() + after, files.text.size() - after) ||
      !EVP_DigestUpdate(context.get(), files.weights.data(), files.weights.get_byte_size()) ||
      !EVP_DigestFinal_ex(context.get(), digest, &length)) {
    throw ModelError("expected OpenSSL to compute a sha256, it does not; install it anew");
  }
  std::string digits;
  for (unsigned int index = 0; index < length; ++index) {
    digits += kHexadecimal[digest[index] >> 4];
    digits += kHexadecimal[digest[index] & 15];
  }
  return digits;
}

}  // namespace

ModelFiles read_model_files(const fs::path& file) {
  ModelFiles files{read_text(file), {}};
  const std::optional<std::size_t> place = find_digits(files.text);
  if (!place) {
    throw ModelError("expected an OpenVINO IR at " + file.string() +
                     " that states its checksum, found none: it is damaged, or of an earlier version, or not of this "
                     "project; " +
                     kRemedy);
  }
  files.weights = read_weights(fs::path(file).replace_extension(".bin"), find_length(files.text));
  const std::string stated = files.text.substr(*place, kDigits), computed = compute_checksum(files, *place);
  if (stated != computed) {
    throw ModelError("expected an OpenVINO IR at " + file.string() + " with the checksum " + stated.substr(0, 16) +
                     " that it states, got " + computed.substr(0, 16) + ": it is damaged or was changed; " + kRemedy);
  }
  if (const std::string fault = find_fault(files.text); !fault.empty()) {
    throw ModelError("expected an OpenVINO IR at " + file.string() + ", got " + fault + "; " + kRemedy);
  }
  return files;
}

}  // namespace efficientad
