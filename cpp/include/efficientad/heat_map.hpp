// Anomaly maps made visible on the image.
#pragma once

#include <opencv2/core/mat.hpp>

#include "efficientad/detector.hpp"

namespace efficientad {

// Lays the anomaly map over an 8-bit RGB image, at the image's size: blue at 0, red from twice the threshold on,
// and a white line around what is marked: of each connected region above the threshold, the pixels of half of its
// highest value or more.
cv::Mat draw_heat_map(const cv::Mat& image, const Prediction& prediction);

}  // namespace efficientad
