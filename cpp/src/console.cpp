#include "console.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "efficientad/error.hpp"
#include "efficientad/text.hpp"

namespace efficientad {
namespace {

std::FILE* own = nullptr;

}  // namespace

void silence_libraries() {
  const int copy = dup(STDERR_FILENO);
  own = copy < 0 ? nullptr : fdopen(copy, "w");
  const int nowhere = open("/dev/null", O_WRONLY);
  if (own == nullptr || nowhere < 0) return;  // without a stderr there is nothing to keep clean
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

void say(const std::string& text) {
  std::FILE* stream = own == nullptr ? stderr : own;
  std::fprintf(stream, "%s\n", make_printable(text).c_str());
  std::fflush(stream);
}

void print_line(const std::string& line) {
  if (std::printf("%s\n", line.c_str()) < 0 || std::fflush(stdout) != 0) {
    throw Error(std::string("expected to write results to stdout, got ") + std::strerror(errno) + "; check its disk");
  }
}

}  // namespace efficientad
