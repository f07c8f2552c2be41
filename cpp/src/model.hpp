// A compiled model and its requests, shared by Detector and Queue.
#pragma once

#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/infer_request.hpp>

#include "efficientad/detector.hpp"

namespace efficientad {

struct Detector::Model {
  ModelHeader header;
  ov::CompiledModel compiled;
  ov::InferRequest request;  // of predict

  // Puts an image, at the model's size, into a request's input.
  void fill(ov::InferRequest& request, const cv::Mat& image) const;

  // Copies the results of a request that has ended.
  Prediction collect(ov::InferRequest& request) const;
};

}  // namespace efficientad
