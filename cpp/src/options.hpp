// The command line of efficientad_infer.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "efficientad/detector.hpp"
#include "efficientad/image.hpp"

namespace efficientad {

struct Options {
  std::filesystem::path model;
  std::vector<std::filesystem::path> images;
  std::optional<std::filesystem::path> heat_maps;  // folder
  std::optional<std::filesystem::path> maps;       // folder
  Settings settings;
  Limits limits;  // of the images
  bool json = false;
  bool help = false;  // nothing else is asked for
};

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string describe_usage();

// Throws UsageError; `arguments` are those after the program's name.
Options parse_options(const std::vector<std::string>& arguments);

}  // namespace efficientad
