#include "efficientad/heat_map.hpp"

#include <algorithm>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace efficientad {

namespace {

constexpr int kBand = 256;             // rows that are coloured at a time
constexpr float kMarkedShare = 0.5F;  // of a region's highest value

cv::Mat resize_map(const cv::Mat& map, const cv::Size& size) {
  cv::Mat resized;
  cv::resize(map, resized, size, 0, 0, cv::INTER_LINEAR);
  return resized;
}

// Returns what a map, brought to `size`, marks as defective, 255 there and 0 elsewhere: of each connected region above
// the threshold the pixels of half of its highest value or more. Where that value is negative, only the highest itself is
// marked.
cv::Mat mark_defects(const cv::Mat& small, double threshold, const cv::Size& size) {
  cv::Mat marked = resize_map(small, size) > threshold;
  cv::Mat regions;  // numbered from 1 on; 0 is what is not above the threshold
  const int count = cv::connectedComponents(marked, regions, 8, CV_32S);
  const cv::Mat map = resize_map(small, size);  // again: meanwhile it would take memory
  std::vector<float> least(count, -std::numeric_limits<float>::infinity());
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.cols; ++column) {
      float& highest = least[regions.at<int>(row, column)];
      highest = std::max(highest, map.at<float>(row, column));
    }
  }
  for (float& value : least) value = std::min(value, value * kMarkedShare);
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.cols; ++column) {
      if (map.at<float>(row, column) < least[regions.at<int>(row, column)]) marked.at<uchar>(row, column) = 0;
    }
  }
  return marked;
}

}  // namespace

HeatMap fit_heat_map(const Prediction& prediction, const cv::Size& size) {
  HeatMap heat_map;
  heat_map.marks = mark_defects(prediction.map, prediction.threshold, size);  // first: it takes most memory
  const cv::Mat map = resize_map(prediction.map, size);
  double low = 0;
  double high = 2 * prediction.threshold;
  if (!(low < high)) {  // a threshold at or below the level of normal pixels leaves no such range
    cv::minMaxLoc(prediction.map, &low, &high);
    high += 1e-6;
  }
  const double scale = 255 / (high - low);
  map.convertTo(heat_map.levels, CV_8U, scale, -low * scale);
  return heat_map;
}

void HeatMap::lay_over(cv::Mat& image) const {
  for (int first = 0; first < image.rows; first += kBand) {
    const cv::Range band(first, std::min(first + kBand, image.rows));
    cv::Mat heat;
    cv::applyColorMap(levels.rowRange(band), heat, cv::COLORMAP_TURBO);
    cv::cvtColor(heat, heat, cv::COLOR_BGR2RGB);
    cv::Mat pixels = image.rowRange(band);
    cv::addWeighted(pixels, 0.5, heat, 0.5, 0, pixels);
  }
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(marks, contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  const int thickness = std::max(1, cvRound(std::max(image.rows, image.cols) / 512.0));
  cv::drawContours(image, contours, -1, cv::Scalar::all(255), thickness);
}

cv::Mat draw_heat_map(const cv::Mat& image, const Prediction& prediction) {
  cv::Mat drawn = image.clone();
  fit_heat_map(prediction, image.size()).lay_over(drawn);
  return drawn;
}

}  // namespace efficientad
