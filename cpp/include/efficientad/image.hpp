// Read, resize and write images as data/images/ does: 8-bit RGB everywhere.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

namespace efficientad {

// How large an image may be, found before it is decoded: a small file can promise more pixels than the memory holds.
struct Limits {
  double megapixels = 200;  // of 10^6 px of an image
  double megabytes = 1024;  // of 10^6 bytes of its file
};

// Returns the image as 8-bit RGB (CV_8UC3), with its EXIF orientation applied.
//
// Grey becomes three equal channels. 16-bit samples are divided by 257 with rounding, never by the image's own
// maximum. Opaque alpha is dropped. Throws ImageError naming the path when the file is missing, empty, cut short,
// damaged, of another format or sample type (float, CMYK), animated or multi-page, beyond `limits`, or when some pixel is
// transparent.
cv::Mat read_image(const std::filesystem::path& path, const Limits& limits = {});

// Brings 8-bit RGB to `resized`, which has the wanted size already; the aspect ratio is not kept.
//
// Where no axis is enlarged: the mean over each output pixel's area. Otherwise bilinear. The same size: a copy.
void resize_image(const cv::Mat& image, cv::Mat& resized);

// Writes 8-bit RGB as a PNG into a folder that exists; Error where it cannot.
void write_png(const std::filesystem::path& path, const cv::Mat& image);

// Writes an anomaly map (CV_32F) as a TIFF of 32-bit floats into a folder that exists; Error where it cannot.
void write_map(const std::filesystem::path& path, const cv::Mat& map);

}  // namespace efficientad
