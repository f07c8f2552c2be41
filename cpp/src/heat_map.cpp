#include "efficientad/heat_map.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace efficientad {

cv::Mat draw_heat_map(const cv::Mat& image, const Prediction& prediction) {
  cv::Mat map;
  cv::resize(prediction.map, map, image.size(), 0, 0, cv::INTER_LINEAR);
  double low = 0;
  double high = 2 * prediction.threshold;
  if (!(low < high)) {  // a threshold at or below the level of normal pixels leaves no such range
    cv::minMaxLoc(map, &low, &high);
    high += 1e-6;
  }
  const double scale = 255 / (high - low);
  cv::Mat levels;
  map.convertTo(levels, CV_8U, scale, -low * scale);
  cv::Mat heat;
  cv::applyColorMap(levels, heat, cv::COLORMAP_TURBO);
  cv::cvtColor(heat, heat, cv::COLOR_BGR2RGB);
  cv::Mat blend;
  cv::addWeighted(image, 0.5, heat, 0.5, 0, blend);
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(map > prediction.threshold, contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  const int thickness = std::max(1, cvRound(std::max(image.rows, image.cols) / 512.0));
  cv::drawContours(blend, contours, -1, cv::Scalar::all(255), thickness);
  return blend;
}

}  // namespace efficientad
