// Judge images with an exported detector, by OpenVINO and without Python.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string>

#include "efficientad/error.hpp"

namespace efficientad {

// What a model's file holds beside its graph.
struct ModelHeader {
  std::string size;             // of the networks: S or M
  cv::Size image_size;          // px, of the graph's input
  std::string category;         // the product
  double threshold = 0;         // a score above it is anomalous
  double false_alarm_rate = 0;  // the bound that the threshold was chosen for
  double display_scale = 1;     // raw score that spans the displayed 0 .. 1, around 0.5 at the threshold
  std::string training_data;    // sha256 of the normal images that it was trained and calibrated on
  std::string version;          // of the package that exported it
  std::string code_hash;        // sha256 of the source files that exported it; empty where that is not known

  // Returns a raw score as people are shown it: in [0, 1], 0.5 at the threshold.
  double scale_score(double score) const;
};

// A detector's judgement of one image.
struct Prediction {
  float score = 0;           // raw and unclamped; higher = more anomalous
  double display_score = 0;  // in [0, 1], 0.5 at the threshold
  double threshold = 0;
  bool anomalous = false;  // whether the score lies above the threshold
  cv::Mat map;             // CV_32F at the model's resolution, raw

  const char* verdict() const { return anomalous ? "anomalous" : "normal"; }
};

enum class Precision { f32, bf16, f16 };  // of the arithmetic; f32 gives the scores of training
enum class Hint { latency, throughput };  // one image at a time, or a Queue over many

struct Settings {
  std::string device = "CPU";
  Precision precision = Precision::f32;
  Hint hint = Hint::latency;
};

// A loaded model. Its images are 8-bit RGB (CV_8UC3) of any size; cameras and OpenCV give BGR: turn it round first.
// One thread at a time may call predict; a copy shares the model.
class Detector {
 public:
  // Opens a .xml, a folder of the pipeline that holds openvino/fp32, or a folder of versions, such as openvino/int8,
  // whose last is taken. Throws ModelError when there is no such model, it is not one of this project, it does not have
  // the checksum that it states, or its header holds impossible values.
  explicit Detector(const std::filesystem::path& model, const Settings& settings = {});

  const ModelHeader& header() const;

  // Resizes as training does and infers. Throws ImageError for anything but 8-bit RGB, ModelError where the score or
  // the map is not finite.
  Prediction predict(const cv::Mat& image);

 private:
  friend class Queue;
  struct Model;
  std::shared_ptr<Model> model_;
};

// Several images under way at a time; predictions come in the order of the images. It holds as many as the device has
// requests for, so that memory does not grow with their number. Works best with Hint::throughput.
class Queue {
 public:
  explicit Queue(const Detector& detector);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  bool empty() const;
  bool full() const;

  // Starts on an image, whose pixels are free again on return. Throws std::logic_error when full, ImageError as
  // predict.
  void push(const cv::Mat& image);

  // Waits for the oldest image's prediction. Throws std::logic_error when empty, ModelError as predict; the next pop
  // then gives the next image's.
  Prediction pop();

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace efficientad
