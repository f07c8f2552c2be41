// A JSON object on one line.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace efficientad {

// Members of a JSON object, each with its value as JSON.
using Record = std::vector<std::pair<std::string, std::string>>;

// Returns a number as JSON: the shortest text that gives it back.
std::string write_number(double value);

std::string write_json(const Record& record);

}  // namespace efficientad
