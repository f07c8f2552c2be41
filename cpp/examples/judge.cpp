// How a program of your own judges images: one at a time, and several at a time.

#include <cstdio>
#include <efficientad/detector.hpp>
#include <efficientad/image.hpp>
#include <efficientad/text.hpp>

namespace {

void judge(const char* model, int count, char** images) {
  efficientad::Settings settings;
  settings.hint = efficientad::Hint::throughput;  // the default, latency, is for one image at a time
  efficientad::Detector detector(model, settings);

  const efficientad::Prediction first = detector.predict(efficientad::read_image(images[0]));
  std::printf("%s: %s, %.4f at a threshold of %.4f\n", efficientad::make_printable(detector.header().category).c_str(),
              first.verdict(), static_cast<double>(first.score), first.threshold);

  efficientad::Queue queue(detector);
  for (int index = 0; index < count; ++index) {
    if (queue.full()) std::printf("%s\n", queue.pop().verdict());
    queue.push(efficientad::read_image(images[index]));  // the arithmetic goes on while the next image is read
  }
  while (!queue.empty()) std::printf("%s\n", queue.pop().verdict());
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) return 2;
  try {
    judge(values[1], count - 2, values + 2);
  } catch (const efficientad::Error& error) {  // of a file whose name a terminal may obey
    std::fprintf(stderr, "%s\n", efficientad::make_printable(error.what()).c_str());
    return 1;
  }
}
