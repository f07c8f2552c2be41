#include "metadata.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <locale>
#include <sstream>
#include <vector>

#include "names.hpp"

namespace efficientad {
namespace {

constexpr int kMostPixels = 16384;  // of an image's side
constexpr std::size_t kShown = 60;  // letters of a wrong value

constexpr const char* kDigits = "0123456789";
constexpr const char* kBlanks = " \t\n\v\f\r";
constexpr std::size_t kMostPlaces = 9;  // of a whole number

std::size_t skip_digits(const std::string& text, std::size_t place) {
  return std::min(text.find_first_not_of(kDigits, place), text.size());
}

std::size_t skip_sign(const std::string& text, std::size_t place) {
  return text[place] == '+' || text[place] == '-' ? place + 1 : place;
}

// Whether a text is a number as model/header_values.py has it: digits, a fraction, an exponent; no blank, no hexadecimal.
bool is_number(const std::string& text) {
  const std::size_t first = skip_sign(text, 0);
  std::size_t end = skip_digits(text, first);
  if (end == first) return false;
  if (text[end] == '.') end = skip_digits(text, end + 1);
  if (text[end] == 'e' || text[end] == 'E') {
    const std::size_t exponent = skip_sign(text, end + 1);
    end = skip_digits(text, exponent);
    if (end == exponent) return false;
  }
  return end == text.size();
}

// Returns NaN for anything but a finite number.
double parse_number(const std::string& text) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (!is_number(text)) return nan;
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());  // whatever locale the program has
  double number = 0;
  return stream >> number && std::isfinite(number) ? number : nan;
}

// Returns 0 for anything but digits, not many of them.
int parse_side(const std::string& text) {
  const bool whole = !text.empty() && text.size() <= kMostPlaces && skip_digits(text, 0) == text.size();
  return whole ? std::stoi(text) : 0;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t first = text.find_first_not_of(kBlanks); first != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, first), text.size());
    words.push_back(text.substr(first, end - first));
    first = text.find_first_not_of(kBlanks, end);
  }
  return words;
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
    const double number = parse_number(get_text(key));
    if (std::isnan(number)) refuse(key, "a finite number");
    return number;
  }

  double get_positive(const std::string& key) const {
    const double number = parse_number(get_text(key));
    if (!(number > 0)) refuse(key, "a finite number above 0");
    return number;
  }

  double get_rate(const std::string& key) const {
    const double number = parse_number(get_text(key));
    if (!(number > 0 && number < 1)) refuse(key, "a number above 0 and below 1");
    return number;
  }

  // "HEIGHT WIDTH"
  cv::Size get_size(const std::string& key) const {
    cv::Size size;
    const std::vector<std::string> sides = split(get_text(key));
    if (sides.size() == 2) size = {parse_side(sides[1]), parse_side(sides[0])};
    if (std::min(size.height, size.width) < 1 || std::max(size.height, size.width) > kMostPixels) {
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

  // MAJOR.MINOR.PATCH of a package whose models this program reads, and what may follow without a blank.
  std::string get_version(const std::string& key) const {
    const std::string text = get_text(key), known = std::string(kVersion) + ".";
    if (text.compare(0, known.size(), known) != 0 || skip_digits(text, known.size()) == known.size() ||
        text.find_first_of(kBlanks) != std::string::npos) {
      refuse(key, std::string("a version of ") + kVersion);
    }
    return text;
  }

  // "NAME LOW HIGH ..." of the branches, which a program has no use for.
  void check_branches(const std::string& key) const {
    const std::vector<std::string> words = split(get_text(key));
    if (words.size() % 3 != 0) refuse(key, "a name and two numbers of each branch");
    for (std::size_t index = 0; index < words.size(); ++index) {
      if (index % 3 != 0 && std::isnan(parse_number(words[index]))) refuse(key, "a finite number");
    }
  }

 private:
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
  if (values.count("branches")) metadata.check_branches("branches");
  header.code_hash = values.count("code_hash") ? values.at("code_hash") : "";
  return header;
}

}  // namespace efficientad
