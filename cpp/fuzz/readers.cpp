// Fuzzing of what reads a stranger's bytes: the containers of images, and a model's metadata.
//
// With clang -fsanitize=fuzzer this is a target of libFuzzer; with -DREPLAY it is a program that changes the files it is
// given at places of a fixed seed: readers SECONDS FILE...

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "../src/container.hpp"
#include "../src/metadata.hpp"
#include "efficientad/error.hpp"

namespace {

// The first byte chooses the reader. Text is split into keys and values by its bytes 0.
void read(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const bool is_text = data[0] % 4 == 3;
  try {
    if (!is_text) {
      efficientad::inspect_container(efficientad::Bytes(data + 1, data + size));
      return;
    }
    std::map<std::string, std::string> values;
    std::string words[2];
    std::size_t word = 0;
    for (std::size_t index = 1; index < size; ++index) {
      if (data[index] != 0) {
        words[word] += static_cast<char>(data[index]);
      } else if (word++ == 1) {
        values[words[0]] = words[1];
        words[0].clear();
        words[1].clear();
        word = 0;
      }
    }
    efficientad::parse_metadata(values, "a file");
  } catch (const efficientad::ContainerError&) {
  } catch (const efficientad::ModelError&) {
  }
}

}  // namespace

#ifndef REPLAY

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read(data, size);
  return 0;
}

#else

namespace {

using Input = std::vector<std::uint8_t>;

// Flips, cuts, doubles or sets bytes that matter as lengths.
Input change(Input input, std::mt19937& random) {
  const auto draw = [&random](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  for (std::size_t times = 1 + draw(6); times > 0 && input.size() > 1; --times) {
    const std::size_t place = draw(input.size());
    switch (draw(5)) {
      case 0: input[place] ^= static_cast<std::uint8_t>(1u << draw(8)); break;
      case 1: input[place] = static_cast<std::uint8_t>(random()); break;
      case 2: input.resize(place + 1); break;
      case 3: input.insert(input.begin() + static_cast<std::ptrdiff_t>(place), draw(16), 0xFF); break;
      default:
        for (std::size_t index = place; index < std::min(place + 4, input.size()); ++index) input[index] = 0xFF;
    }
  }
  return input;
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) {
    std::fprintf(stderr, "usage: readers SECONDS FILE...\n");
    return 2;
  }
  std::vector<Input> seeds;
  for (int index = 2; index < count; ++index) {
    std::ifstream file(values[index], std::ios::binary);
    Input seed{static_cast<std::uint8_t>(0)};
    seed.insert(seed.end(), std::istreambuf_iterator<char>(file), {});
    seeds.push_back(seed);
  }
  std::string text(1, '\3');
  for (const char* name : {"size", "category", "training_data", "version", "image_size", "image_threshold",
                           "false_alarm_rate", "normalization_scale"}) {
    text += std::string(name) + '\0' + (std::string(name) == "image_size" ? "64 64" : "0.5") + '\0';
  }
  seeds.emplace_back(text.begin(), text.end());
  std::mt19937 random(0);  // what happens first does not depend on the machine
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(values[1]));
  std::size_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    const Input input = change(seeds[random() % seeds.size()], random);
    read(input.data(), input.size());
  }
  std::printf("%zu inputs read\n", runs);
  return 0;
}

#endif
