#include "efficientad/image.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <system_error>

#include "container.hpp"
#include "efficientad/error.hpp"

namespace efficientad {
namespace {

constexpr double kMega = 1e6;

std::string refuse(const std::filesystem::path& path, const std::string& reason) {
  return "cannot read " + path.string() + ": the file " + reason + "; export it again or remove it";
}

std::string write_number(double value, const char* format) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

void check_bytes(std::uintmax_t count, const Limits& limits, const std::filesystem::path& path) {
  if (static_cast<double>(count) <= limits.megabytes * kMega) return;
  throw ImageError(refuse(path, "has " + write_number(static_cast<double>(count) / kMega, "%.1f") +
                                    " MB, more than the bound of " + write_number(limits.megabytes, "%g") +
                                    " (to raise it: --max-megabytes)"));
}

void check_pixels(const Container& container, const Limits& limits, const std::filesystem::path& path) {
  const double pixels = static_cast<double>(container.height) * static_cast<double>(container.width);
  if (pixels <= limits.megapixels * kMega) return;
  throw ImageError(refuse(path, "has " + std::to_string(container.width) + " x " + std::to_string(container.height) +
                                    " px, more than the bound of " + write_number(limits.megapixels, "%g") +
                                    " megapixels (to raise it: --max-megapixels)"));
}

Bytes read_bytes(const std::filesystem::path& path, const Limits& limits) {
  std::error_code error;
  const std::uintmax_t length = std::filesystem::file_size(path, error);
  if (!error) {
    check_bytes(length, limits, path);
    Bytes payload(length);
    std::ifstream file(path, std::ios::binary);
    if (file.read(reinterpret_cast<char*>(payload.data()), static_cast<std::streamsize>(length))) return payload;
    error = std::make_error_code(std::errc::io_error);
  }
  throw ImageError("expected an image at " + path.string() + ", could not open it (" + error.message() + "); check it");
}

Container inspect(const Bytes& payload, const std::filesystem::path& path) {
  try {
    return inspect_container(payload);
  } catch (const ContainerError& error) {
    throw ImageError(refuse(path, error.what()));
  }
}

cv::Mat decode(const Bytes& payload, int flags, const std::filesystem::path& path) {
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(payload, flags);
  } catch (const cv::Exception& error) {
    throw ImageError("cannot read " + path.string() + ": " + error.err + "; export it again or remove it");
  }
  if (pixels.empty()) {
    throw ImageError("cannot read " + path.string() + ": its content is damaged or unknown; export it again as PNG");
  }
  return pixels;
}

// Refuses what a 12-bit camera gives when nobody scaled it; a few hot pixels do not make it brighter.
void check_depth(const cv::Mat& pixels, const std::filesystem::path& path) {
  const int count = static_cast<int>(pixels.total());
  cv::Mat brightest;
  cv::reduce(pixels.reshape(1, count), brightest, 1, cv::REDUCE_MAX);
  const int bright = cv::countNonZero(brightest > 4095);
  if (bright > std::max(1, count / 1000)) return;
  throw ImageError("expected 16-bit samples to span 0..65535 in " + path.string() + ", got " + std::to_string(bright) +
                   " of " + std::to_string(count) +
                   " pixels above 4095: the camera gives 10 or 12 bits, or there was no light; multiply by 64 or 16 when "
                   "saving, so that white is 65535, or save 8 bits");
}

cv::Mat convert_to_8_bits(const cv::Mat& pixels, const std::filesystem::path& path) {
  if (pixels.depth() == CV_8U) return pixels;
  if (pixels.depth() != CV_16U) {
    throw ImageError("expected 8 or 16 bits per sample in " + path.string() + ", got " + cv::typeToString(pixels.type()) +
                     "; convert it to 8 bits");
  }
  check_depth(pixels, path);
  cv::Mat converted(pixels.size(), CV_MAKETYPE(CV_8U, pixels.channels()));
  const cv::Mat levels = pixels.reshape(1);
  std::transform(levels.begin<std::uint16_t>(), levels.end<std::uint16_t>(), converted.reshape(1).begin<std::uint8_t>(),
                 [](std::uint16_t level) { return static_cast<std::uint8_t>((level + 128) / 257); });
  return converted;
}

void check_opaque(const Bytes& payload, const std::filesystem::path& path) {
  const cv::Mat pixels = decode(payload, cv::IMREAD_UNCHANGED, path);
  if (pixels.channels() != 4) return;
  cv::Mat alpha;
  cv::extractChannel(pixels, alpha, 3);
  double lowest = 0;
  cv::minMaxLoc(alpha, &lowest);
  const double opaque = alpha.depth() == CV_8U ? 255 : 65535;
  if (alpha.depth() <= CV_16U && lowest < opaque) {
    throw ImageError("expected opaque pixels in " + path.string() + ", some are transparent; flatten it first");
  }
}

// Turns an image upright; `orientation` as EXIF counts, anything outside 2 .. 8 changes nothing.
void apply_orientation(cv::Mat& image, int orientation) {
  if (orientation >= 5 && orientation <= 8) cv::transpose(image, image);
  if (orientation == 2 || orientation == 6) cv::flip(image, image, 1);
  if (orientation == 3 || orientation == 7) cv::flip(image, image, -1);
  if (orientation == 4 || orientation == 8) cv::flip(image, image, 0);
}

// Into memory: OpenCV does not say when a disk took only a part of a file. Nothing where it cannot.
Bytes encode(const cv::Mat& image, const char* format) {
  Bytes payload;
  try {
    if (cv::imencode(format, image, payload)) return payload;
  } catch (const cv::Exception&) {
  }
  return {};
}

// Returns whether the file took all bytes, the last of them when it was closed.
bool write_bytes(const std::filesystem::path& path, const Bytes& payload) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(payload.data()), static_cast<std::streamsize>(payload.size()));
  file.close();
  return file.good();
}

// Gives a file its name when it is whole; of one that could not be written nothing is left. It does not wait for the disk
// (fsync), as in Python: it can be drawn again, and there are thousands.
void write_file(const std::filesystem::path& path, const char* format, const cv::Mat& image) {
  const Bytes payload = encode(image, format);
  // Another process that writes the same file has another number: what lies there is always one whole file.
  const std::filesystem::path part = path.parent_path() / (".efficientad-" + std::to_string(getpid()) + format);
  std::error_code error;
  const bool written = !payload.empty() && write_bytes(part, payload);
  if (written) std::filesystem::rename(part, path, error);
  if (written && !error) return;
  std::filesystem::remove(part, error);
  throw Error("expected to write " + path.string() + ", could not; check the folder and its space");
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& path, const Limits& limits) {
  const Bytes payload = read_bytes(path, limits);
  const Container container = inspect(payload, path);
  check_pixels(container, limits, path);
  if (container.alpha) check_opaque(payload, path);
  const int as_stored = container.orientation == 0 ? 0 : cv::IMREAD_IGNORE_ORIENTATION;
  cv::Mat image = convert_to_8_bits(decode(payload, cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH | as_stored, path), path);
  apply_orientation(image, container.orientation);
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

void resize_image(const cv::Mat& image, cv::Mat& resized) {
  if (image.size() == resized.size()) {
    image.copyTo(resized);
    return;
  }
  const bool shrinks = image.rows >= resized.rows && image.cols >= resized.cols;
  cv::resize(image, resized, resized.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
}

void write_png(const std::filesystem::path& path, const cv::Mat& image) {
  cv::Mat bgr;
  cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  write_file(path, ".png", bgr);
}

void write_map(const std::filesystem::path& path, const cv::Mat& map) { write_file(path, ".tiff", map); }

}  // namespace efficientad
