#include "json_line.hpp"

#include <nlohmann/json.hpp>

namespace efficientad {

std::string write_number(double value) { return nlohmann::json(value).dump(); }

std::string write_json(const Record& record) {
  std::string line;
  for (const auto& [key, value] : record) line += (line.empty() ? "{\"" : ",\"") + key + "\":" + value;
  return line + '}';
}

}  // namespace efficientad
