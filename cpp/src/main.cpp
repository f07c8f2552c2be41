// Judges image files: one verdict or JSON object per line, and heat maps.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "console.hpp"
#include "efficientad/detector.hpp"
#include "efficientad/heat_map.hpp"
#include "efficientad/image.hpp"
#include "efficientad/text.hpp"
#include "file_name.hpp"
#include "json_line.hpp"
#include "options.hpp"

namespace efficientad {
namespace {

namespace fs = std::filesystem;

constexpr int kExitError = 1, kExitUsage = 2, kExitSkipped = 3;

fs::path normalise(const fs::path& file) { return fs::absolute(file).lexically_normal(); }

// The deepest folder that holds all files.
fs::path find_root(const std::vector<fs::path>& files) {
  fs::path root = normalise(files.front()).parent_path();
  for (const fs::path& file : files) {
    const fs::path folder = normalise(file).parent_path();
    const auto end = std::mismatch(root.begin(), root.end(), folder.begin(), folder.end()).first;
    fs::path shared;
    for (auto part = root.begin(); part != end; ++part) shared /= *part;
    root = shared;
  }
  return root;
}

std::string write_verdict(const Prediction& prediction) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%-9s %8.4f  ", prediction.verdict(), static_cast<double>(prediction.score));
  return text.data();
}

class Session {
 public:
  explicit Session(const Options& options)
      : options_(options),
        detector_(options.model, options.settings),
        queue_(detector_),
        root_(find_root(options.images)) {}

  // Judges all images and returns how many were skipped as unreadable.
  int run() {
    for (const fs::path& file : options_.images) {
      cv::Mat pixels(detector_.header().image_size, CV_8UC3);
      cv::Size size;
      try {
        const cv::Mat image = read_image(file, options_.limits);
        size = image.size();
        resize_image(image, pixels);  // now: while it waits, a camera's full size would take memory
      } catch (const ImageError& error) {
        report_all();  // lines keep the order of the images
        report_skipped(file, error.what());
        continue;
      }
      if (queue_.full()) report_oldest();
      queue_.push(pixels);
      pending_.push_back({file, size});
    }
    report_all();
    return skipped_;
  }

 private:
  struct Pending {
    fs::path file;
    cv::Size size;  // px, of its image
  };

  void report_all() {
    while (!queue_.empty()) report_oldest();
  }

  void report_oldest() {
    const Pending pending = std::move(pending_.front());
    pending_.pop_front();
    try {
      report(pending, queue_.pop());
    } catch (const ImageError& error) {  // of a file that changed since it was judged
      report_skipped(pending.file, error.what());
    } catch (const ModelError& error) {
      report_skipped(pending.file, error.what());
    }
  }

  void report(const Pending& pending, const Prediction& prediction) {
    const std::string name = pending.file.string();
    std::string heat_map;
    if (options_.heat_maps) heat_map = save_heat_map(pending, prediction);
    if (options_.maps) write_map(place(*options_.maps, pending.file, ".tiff"), prediction.map);
    if (!options_.json) {
      print_line(write_verdict(prediction) + make_printable(name));
      return;
    }
    Record record = {{"image", quote_json(name)},
                     {"score", write_number(static_cast<double>(prediction.score))},
                     {"display_score", write_number(prediction.display_score)},
                     {"threshold", write_number(prediction.threshold)},
                     {"verdict", quote_json(prediction.verdict())}};
    if (options_.heat_maps) record.emplace_back("heat_map", quote_json(heat_map));
    print_line(write_json(record));
  }

  void report_skipped(const fs::path& file, const std::string& reason) {
    ++skipped_;
    say("skipped   " + file.string() + "  " + reason);
    if (options_.json) print_line(write_json({{"image", quote_json(file.string())}, {"error", quote_json(reason)}}));
  }

  // Returns the PNG's path below the folder of heat maps. The image is read again: meanwhile it would take a camera's
  // full size in memory, as often as images are under way.
  std::string save_heat_map(const Pending& pending, const Prediction& prediction) {
    const fs::path path = place(*options_.heat_maps, pending.file, ".png");
    write_png(path, draw(pending, prediction));
    return path.lexically_relative(*options_.heat_maps).generic_string();
  }

  cv::Mat draw(const Pending& pending, const Prediction& prediction) const {
    const HeatMap heat_map = fit_heat_map(prediction, pending.size);
    cv::Mat image = read_image(pending.file, options_.limits);
    if (image.size() != pending.size) {
      throw ImageError("expected " + pending.file.string() + " as it was before, it changed meanwhile; judge it again");
    }
    heat_map.lay_over(image);
    return image;
  }

  // Returns where below `folder` a file goes that is made from an image, in a folder that exists.
  fs::path place(const fs::path& folder, const fs::path& image, const std::string& suffix) const {
    const fs::path path = folder / name_product(normalise(image).lexically_relative(root_).generic_string(), suffix);
    fs::create_directories(path.parent_path());
    return path;
  }

  const Options& options_;
  Detector detector_;
  Queue queue_;
  fs::path root_;
  int skipped_ = 0;
  std::deque<Pending> pending_;  // what is under way in the queue
};

int run(const std::vector<std::string>& arguments) {
  try {
    const Options options = parse_options(arguments);
    if (options.help) {
      std::printf("%s", describe_usage().c_str());
      return 0;
    }
    silence_libraries();
    return Session(options).run() > 0 ? kExitSkipped : 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", describe_usage().c_str());
    say(std::string("efficientad_infer: ") + error.what());
    return kExitUsage;
  } catch (const std::exception& error) {
    say(std::string("efficientad_infer: ") + error.what());
    return kExitError;
  }
}

}  // namespace
}  // namespace efficientad

int main(int count, char** values) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error to report, as in Python
  return efficientad::run({values + 1, values + count});
}
