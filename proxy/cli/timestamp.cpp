#include "proxy/cli/timestamp.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace turnout::cli {

std::string timestamp(payments::wall_time at) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  const std::time_t seconds = since.count() / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(since.count() % 1000));
  return text;
}

}  // namespace turnout::cli
