#include "efficientad/heat_map.hpp"

#include <opencv2/imgproc.hpp>

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
  return blend;
}

}  // namespace efficientad
