// How a program of your own judges images: one at a time, and several at a time.

#include <cstdio>
#include <efficientad/detector.hpp>
#include <efficientad/image.hpp>

int main(int count, char** values) {
  if (count < 3) return 2;
  efficientad::Settings settings;
  settings.hint = efficientad::Hint::throughput;  // the default, latency, is for one image at a time
  efficientad::Detector detector(values[1], settings);

  const efficientad::Prediction first = detector.predict(efficientad::read_image(values[2]));
  std::printf("%s: %s, %.4f at a threshold of %.4f\n", detector.header().category.c_str(), first.verdict(),
              static_cast<double>(first.score), first.threshold);

  efficientad::Queue queue(detector);
  for (int index = 2; index < count; ++index) {
    if (queue.full()) std::printf("%s\n", queue.pop().verdict());
    queue.push(efficientad::read_image(values[index]));  // the arithmetic goes on while the next image is read
  }
  while (!queue.empty()) std::printf("%s\n", queue.pop().verdict());
}
