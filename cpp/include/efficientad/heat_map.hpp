// Anomaly maps made visible on the image.
#pragma once

#include <opencv2/core/mat.hpp>

#include "efficientad/detector.hpp"

namespace efficientad {

// A map's colours and marks at an image's size, in two bytes a pixel: what is drawn is known before the image is read.
struct HeatMap {
  cv::Mat levels;  // CV_8U: 0 and 255 are the first and the last colour
  cv::Mat marks;   // CV_8U: 255 where a pixel is marked, 0 elsewhere

  // Draws into an 8-bit RGB image: the colours, and a white line around the marks.
  void lay_over(cv::Mat& image) const;
};

HeatMap fit_heat_map(const Prediction& prediction, const cv::Size& size);

// Lays the anomaly map over an 8-bit RGB image, at the image's size: blue at 0, red from twice the threshold on,
// and a white line around what is marked: of each connected region above the threshold, the pixels of half of its
// highest value or more.
cv::Mat draw_heat_map(const cv::Mat& image, const Prediction& prediction);

}  // namespace efficientad
