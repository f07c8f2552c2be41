#include "metadata.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <locale>
#include <sstream>

#include "names.hpp"

namespace efficientad {
namespace {

constexpr int kMostPixels = 16384;  // of an image's side
constexpr std::size_t kShown = 60;  // letters of a wrong value

// Whether a text is a number as model/header_values.py has it: digits, a fraction, an exponent; no blank, no hexadecimal.
bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos;
}

bool is_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

class Metadata {
 public:
  Metadata(const std::map<std::string, std::string>& values, const std::string& where)
      : values_(values), where_(where) {}

  std::string get_text(const std::string& key) const {
    const auto entry = values_.find(key);
    if (entry == values_.end()) {
      throw ModelError("expected '" + key + "' in the metadata of " + where_ +
                       ": it is not a calibrated detector of this project; export it again (`dvc repro export`)");
    }
    return entry->second;
  }

  double get_number(const std::string& key) const {
    double number = 0;
    if (!is_number(get_text(key)) || !read(key, number) || !std::isfinite(number)) refuse(key, "a finite number");
    return number;
  }

  double get_positive(const std::string& key) const {
    double number = 0;
    if (!is_number(get_text(key)) || !read(key, number) || !std::isfinite(number) || number <= 0) {
      refuse(key, "a finite number above 0");
    }
    return number;
  }

  double get_rate(const std::string& key) const {
    double number = 0;
    if (!is_number(get_text(key)) || !read(key, number) || !(number > 0 && number < 1)) {
      refuse(key, "a number above 0 and below 1");
    }
    return number;
  }

  // "HEIGHT WIDTH"
  cv::Size get_size(const std::string& key) const {
    cv::Size size;
    if (!read(key, size.height, size.width) || std::min(size.height, size.width) < 1 ||
        std::max(size.height, size.width) > kMostPixels) {
      refuse(key, "a height and a width from 1 to " + std::to_string(kMostPixels) + " px");
    }
    return size;
  }

  std::string get_one_of(const std::string& key, std::initializer_list<const char*> names) const {
    const std::string text = get_text(key);
    std::string listed;
    for (const char* name : names) {
      if (text == name) return text;
      listed += (listed.empty() ? "" : ", ") + std::string(name);
    }
    refuse(key, "one of " + listed);
  }

  // MAJOR.MINOR.PATCH of a package whose models this program reads.
  std::string get_version(const std::string& key) const {
    const std::string text = get_text(key), known = kVersion;
    const std::string patch = text.substr(std::min(text.size(), known.size() + 1));
    if (text.compare(0, known.size() + 1, known + ".") != 0 || !is_digits(patch.substr(0, 1))) {
      refuse(key, "a version of " + known);
    }
    return text;
  }

 private:
  // Whether the value is these numbers and nothing else.
  template <typename... Values>
  bool read(const std::string& key, Values&... values) const {
    std::istringstream text(get_text(key));
    text.imbue(std::locale::classic());  // whatever locale the program has
    return (text >> ... >> values) && (text >> std::ws).eof();
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const {
    const std::string value = get_text(key);
    const std::string shown = value.size() <= kShown ? value : value.substr(0, kShown - 3) + "...";
    throw ModelError("expected " + expected + " as '" + key + "' in the metadata of " + where_ + ", got '" + shown +
                     "'; export it again (`dvc repro export`)");
  }

  const std::map<std::string, std::string>& values_;
  const std::string& where_;
};

}  // namespace

ModelHeader parse_metadata(const std::map<std::string, std::string>& values, const std::string& where) {
  const Metadata metadata(values, where);
  ModelHeader header;
  header.size = metadata.get_one_of("size", {"S", "M", "L"});
  header.image_size = metadata.get_size("image_size");
  header.category = metadata.get_text("category");
  header.threshold = metadata.get_number("image_threshold");
  header.false_alarm_rate = metadata.get_rate("false_alarm_rate");
  header.display_scale = metadata.get_positive("normalization_scale");
  header.training_data = metadata.get_text("training_data");
  header.version = metadata.get_version("version");
  if (values.count("threshold_policy")) metadata.get_one_of("threshold_policy", {"rate", "margin"});
  header.code_hash = values.count("code_hash") ? values.at("code_hash") : "";
  return header;
}

}  // namespace efficientad
