// efficientad_benchmark MODEL [IMAGES]: times a model on noise and prints a JSON object.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "console.hpp"
#include "efficientad/detector.hpp"
#include "efficientad/text.hpp"
#include "json_line.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kWarmUp = 8;  // images that do not count
constexpr int kMostImages = 1'000'000;

double milliseconds_since(Clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

// One image at a time, from pixels of the model's size to the score; in ascending order.
std::vector<double> time_latency(efficientad::Detector& detector, const cv::Mat& image, int images) {
  std::vector<double> times;
  for (int index = -kWarmUp; index < images; ++index) {
    const Clock::time_point begun = Clock::now();
    detector.predict(image);
    if (index >= 0) times.push_back(milliseconds_since(begun));
  }
  std::sort(times.begin(), times.end());
  return times;
}

double time_throughput(const efficientad::Detector& detector, const cv::Mat& image, int images) {
  efficientad::Queue queue(detector);
  Clock::time_point begun = Clock::now();
  for (int index = -kWarmUp; index < images; ++index) {
    if (index == 0) begun = Clock::now();
    if (queue.full()) queue.pop();
    queue.push(image);
  }
  while (!queue.empty()) queue.pop();
  return 1000 * images / milliseconds_since(begun);
}

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

// Returns a whole number from 1 to kMostImages, or 0 for anything else.
int parse_images(const std::string& text) {
  if (text.empty() || text.size() > 7 || text.find_first_not_of("0123456789") != std::string::npos) return 0;
  const int images = std::stoi(text);
  return images <= kMostImages ? images : 0;
}

// Returns the timings as JSON.
std::string measure(const std::string& model, int images) {
  efficientad::Detector detector(model);
  cv::Mat image(detector.header().image_size, CV_8UC3);
  cv::RNG(0).fill(image, cv::RNG::UNIFORM, 0, 256);
  const std::vector<double> times = time_latency(detector, image, images);
  efficientad::Settings busy;
  busy.hint = efficientad::Hint::throughput;
  const double throughput = time_throughput(efficientad::Detector(model, busy), image, images);
  return efficientad::write_json({{"model", efficientad::quote_json(model)},
                                  {"p50_ms", efficientad::write_number(percentile(times, 0.5))},
                                  {"p95_ms", efficientad::write_number(percentile(times, 0.95))},
                                  {"images_per_s", efficientad::write_number(throughput)},
                                  {"images", std::to_string(images)}});
}

}  // namespace

int main(int count, char** values) {
  const int images = count == 3 ? parse_images(values[2]) : 50;
  if (count < 2 || count > 3 || images < 1) {
    std::fprintf(stderr, "usage: efficientad_benchmark MODEL [IMAGES], a whole number from 1 to %d\n", kMostImages);
    return 2;
  }
  efficientad::silence_libraries();
  try {
    efficientad::print_line(measure(values[1], images));
  } catch (const std::exception& error) {
    efficientad::say(std::string("efficientad_benchmark: ") + error.what());
    return 1;
  }
}
