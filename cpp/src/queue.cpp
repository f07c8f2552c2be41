#include <deque>
#include <openvino/runtime/properties.hpp>
#include <vector>

#include "model.hpp"

namespace efficientad {

struct Queue::Requests {
  std::shared_ptr<const Detector::Model> model;
  std::vector<ov::InferRequest> free;
  std::deque<ov::InferRequest> busy;  // the oldest first
};

Queue::Queue(const Detector& detector) : requests_(std::make_unique<Requests>()) {
  requests_->model = detector.model_;
  ov::CompiledModel compiled = detector.model_->compiled;
  const std::uint32_t count = compiled.get_property(ov::optimal_number_of_infer_requests);
  for (std::uint32_t index = 0; index < count; ++index) requests_->free.push_back(compiled.create_infer_request());
}

Queue::~Queue() = default;

bool Queue::empty() const { return requests_->busy.empty(); }

bool Queue::full() const { return requests_->free.empty(); }

void Queue::push(const cv::Mat& image) {
  if (full()) throw std::logic_error("expected a free request, got none; pop a prediction first");
  ov::InferRequest request = requests_->free.back();
  requests_->model->fill(request, image);
  request.start_async();
  requests_->free.pop_back();
  requests_->busy.push_back(request);
}

Prediction Queue::pop() {
  if (empty()) throw std::logic_error("expected an image under way, got none; push one first");
  ov::InferRequest request = requests_->busy.front();
  requests_->busy.pop_front();
  requests_->free.push_back(request);
  request.wait();
  return requests_->model->collect(request);
}

}  // namespace efficientad
