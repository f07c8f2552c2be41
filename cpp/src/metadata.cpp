#include "metadata.hpp"

#include <locale>
#include <sstream>

namespace efficientad {
namespace {

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
    read(key, "a number", number);
    return number;
  }

  // "HEIGHT WIDTH"
  cv::Size get_size(const std::string& key) const {
    cv::Size size;
    read(key, "a height and a width", size.height, size.width);
    return size;
  }

 private:
  template <typename... Values>
  void read(const std::string& key, const char* expected, Values&... values) const {
    std::istringstream text(get_text(key));
    text.imbue(std::locale::classic());  // whatever locale the program has
    if (!(text >> ... >> values) || !(text >> std::ws).eof()) {
      throw ModelError("expected " + std::string(expected) + " as '" + key + "' in the metadata of " + where_ +
                       ", got '" + text.str() + "'; export it again (`dvc repro export`)");
    }
  }

  const std::map<std::string, std::string>& values_;
  const std::string& where_;
};

}  // namespace

ModelHeader parse_metadata(const std::map<std::string, std::string>& values, const std::string& where) {
  const Metadata metadata(values, where);
  ModelHeader header;
  header.size = metadata.get_text("size");
  header.image_size = metadata.get_size("image_size");
  header.category = metadata.get_text("category");
  header.threshold = metadata.get_number("image_threshold");
  header.false_alarm_rate = metadata.get_number("false_alarm_rate");
  header.display_scale = metadata.get_number("normalization_scale");
  header.training_data = metadata.get_text("training_data");
  header.version = metadata.get_text("version");
  header.code_hash = values.count("code_hash") ? values.at("code_hash") : "";
  return header;
}

}  // namespace efficientad
