#include "efficientad/detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <opencv2/core.hpp>
#include <openvino/runtime/core.hpp>
#include <sstream>

#include "checksum.hpp"
#include "efficientad/image.hpp"
#include "metadata.hpp"
#include "model.hpp"
#include "names.hpp"

namespace efficientad {
namespace {

namespace fs = std::filesystem;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

fs::path find_last_version(const fs::path& folder) {
  int last = -1;
  if (fs::is_directory(folder)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (is_number(name) && fs::exists(entry.path() / kModelFile)) last = std::max(last, std::stoi(name));
    }
  }
  return folder / std::to_string(last < 0 ? 1 : last) / kModelFile;
}

fs::path find_model(const fs::path& path) {
  fs::path file = path;
  if (fs::is_directory(path)) {
    const fs::path repository = path / kRepository;
    file = find_last_version(fs::is_directory(repository) ? repository / "fp32" : path);
  }
  if (!fs::is_regular_file(file)) {
    throw ModelError("expected a model at " + file.string() + ", found none; name a .xml file or its folder");
  }
  if (file.extension() != ".xml") {
    throw ModelError("expected an OpenVINO IR (.xml), got " + file.string() + "; the pipeline exports one beside it");
  }
  return file;
}

// OpenVINO's messages run over several lines.
std::string join_lines(const char* message) {
  std::istringstream words(message);
  std::string joined;
  for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

ov::element::Type get_type(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return ov::element::bf16;
    case Precision::f16:
      return ov::element::f16;
    default:
      return ov::element::f32;
  }
}

std::map<std::string, std::string> read_metadata(const ov::Model& model) {
  std::map<std::string, std::string> values;
  if (model.has_rt_info({kSection})) {
    for (const auto& [key, value] : model.get_rt_info<ov::AnyMap>(kSection)) values[key] = value.as<std::string>();
  }
  return values;
}

}  // namespace

Detector::Detector(const fs::path& path, const Settings& settings) : model_(std::make_shared<Model>()) {
  const fs::path file = find_model(path);
  const ModelFiles files = read_model_files(file);
  ov::Core core;
  std::shared_ptr<ov::Model> graph;
  std::map<std::string, std::string> metadata;
  try {
    graph = core.read_model(files.text, files.weights);
    metadata = read_metadata(*graph);
  } catch (const ov::Exception& error) {
    throw ModelError("expected an OpenVINO IR at " + file.string() + ": " + join_lines(error.what()));
  }
  model_->header = parse_metadata(metadata, file.string());
  const cv::Size size = model_->header.image_size;
  const ov::PartialShape shape{1, size.height, size.width, 3};  // one image a request
  try {
    const ov::PartialShape exported = graph->input(kImage).get_partial_shape();
    if (size.empty() || !exported.compatible(shape)) {
      throw ModelError("expected pixels of image_size " + std::to_string(size.height) + " " +
                       std::to_string(size.width) + " in " + file.string() + ", got " + exported.to_string() +
                       "; export it again (`dvc repro export`)");
    }
    graph->reshape(shape);
    model_->compiled = core.compile_model(
        graph, settings.device,
        ov::hint::performance_mode(settings.hint == Hint::latency ? ov::hint::PerformanceMode::LATENCY
                                                                  : ov::hint::PerformanceMode::THROUGHPUT),
        ov::hint::inference_precision(get_type(settings.precision)));
    model_->request = model_->compiled.create_infer_request();
  } catch (const ov::Exception& error) {
    throw ModelError("expected " + file.string() + " to run on " + settings.device + ": " + join_lines(error.what()));
  }
}

double ModelHeader::scale_score(double score) const {
  const double scaled = std::clamp((score - threshold) / display_scale + 0.5, 0.0, 1.0);
  return std::round(scaled * 1e6) / 1e6;
}

const ModelHeader& Detector::header() const { return model_->header; }

Prediction Detector::predict(const cv::Mat& image) {
  model_->fill(model_->request, image);
  model_->request.infer();
  return model_->collect(model_->request);
}

void Detector::Model::fill(ov::InferRequest& request, const cv::Mat& image) const {
  if (image.empty() || image.type() != CV_8UC3) {
    throw ImageError("expected 8-bit RGB, got " + (image.empty() ? "nothing" : cv::typeToString(image.type())) +
                     "; convert it");
  }
  cv::Mat pixels(header.image_size, CV_8UC3, request.get_tensor(kImage).data<std::uint8_t>());
  resize_image(image, pixels);
}

Prediction Detector::Model::collect(ov::InferRequest& request) const {
  Prediction prediction;
  prediction.score = request.get_tensor(kAnomalyScore).data<float>()[0];
  prediction.display_score = header.scale_score(prediction.score);
  prediction.threshold = header.threshold;
  prediction.anomalous = prediction.score > header.threshold;
  prediction.map = cv::Mat(header.image_size, CV_32F, request.get_tensor(kAnomalyMap).data<float>()).clone();
  if (!std::isfinite(prediction.score) || !cv::checkRange(prediction.map)) {  // it lies above no threshold
    throw ModelError("expected a finite score and map, got the score " + std::to_string(prediction.score) +
                     "; use --precision f32, or export the model again");
  }
  return prediction;
}

}  // namespace efficientad
