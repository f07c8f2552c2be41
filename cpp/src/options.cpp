#include "options.hpp"

#include <cmath>
#include <locale>
#include <map>
#include <sstream>

namespace efficientad {
namespace {

Precision parse_precision(const std::string& text) {
  static const std::map<std::string, Precision> names = {
      {"f32", Precision::f32}, {"bf16", Precision::bf16}, {"f16", Precision::f16}};
  const auto entry = names.find(text);
  if (entry == names.end()) throw UsageError("expected --precision f32, bf16 or f16, got " + text);
  return entry->second;
}

double parse_positive(const std::string& name, const std::string& text) {
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  double value = 0;
  if (!(stream >> value) || !stream.eof() || !std::isfinite(value) || value <= 0) {
    throw UsageError("expected a number above 0 after " + name + ", got " + text);
  }
  return value;
}

void set_value(Options& options, const std::string& name, const std::string& value) {
  if (name == "--heatmap-dir") {
    options.heat_maps = value;
  } else if (name == "--map-dir") {
    options.maps = value;
  } else if (name == "--device") {
    options.settings.device = value;
  } else if (name == "--precision") {
    options.settings.precision = parse_precision(value);
  } else if (name == "--max-megapixels") {
    options.limits.megapixels = parse_positive(name, value);
  } else if (name == "--max-megabytes") {
    options.limits.megabytes = parse_positive(name, value);
  } else {
    throw UsageError("expected an option that exists, got " + name);
  }
}

}  // namespace

std::string describe_usage() {
  return "usage: efficientad_infer MODEL IMAGE... [--json] [--heatmap-dir DIR] [--map-dir DIR] "
         "[--device CPU] [--precision f32|bf16|f16]\n"
         "       [--max-megapixels 200] [--max-megabytes 1024]\n"
         "\n"
         "  MODEL              models/SIZE/CATEGORY/SEED, a folder of versions such as openvino/int8, or a .xml file\n"
         "  --json             one JSON object per line: image, score, display_score, threshold, verdict, heat_map;\n"
         "                     or image and error\n"
         "  --heatmap-dir DIR  write a PNG of each image's size with the heat map laid over it\n"
         "  --map-dir DIR      write each raw anomaly map as a TIFF of 32-bit floats at the model's size\n"
         "  --device NAME      of OpenVINO (default: CPU)\n"
         "  --precision NAME   of the arithmetic; f32 gives the scores of training (default: f32)\n"
         "  --max-megapixels N of an image: a larger one is skipped before it is decoded (default: 200)\n"
         "  --max-megabytes N  of its file, 10^6 bytes (default: 1024)\n"
         "\n"
         "Exit code: 0; 1 for an error such as a missing model; 2 for wrong usage; 3 when images could not be read.\n";
}

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::filesystem::path> files;
  bool only_files = false;  // after --
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const std::string& argument = arguments[index];
    if (only_files || argument.rfind("-", 0) != 0) {
      files.emplace_back(argument);
    } else if (argument == "--") {
      only_files = true;
    } else if (argument == "--help" || argument == "-h") {
      options.help = true;
      return options;
    } else if (argument == "--json") {
      options.json = true;
    } else if (const std::size_t equals = argument.find('='); equals != std::string::npos) {
      set_value(options, argument.substr(0, equals), argument.substr(equals + 1));
    } else if (index + 1 < arguments.size()) {
      set_value(options, argument, arguments[++index]);
    } else {
      throw UsageError("expected a value after " + argument);
    }
  }
  if (files.size() < 2) throw UsageError("expected a model and at least one image");
  options.model = files.front();
  options.images.assign(files.begin() + 1, files.end());
  options.settings.hint = options.images.size() == 1 ? Hint::latency : Hint::throughput;
  return options;
}

}  // namespace efficientad
