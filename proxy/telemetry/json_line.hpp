#pragma once
// One line of the log: a JSON object with typed fields. Whatever bytes a value
// has, the line is one line, valid UTF-8 and valid JSON, and holds no card number.
#include <cstdint>
#include <string>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::telemetry {

class json_line {
 public:
  /// Reuses `buffer`, which must outlive the line.
  explicit json_line(std::string& buffer);

  /// Valid UTF-8 is kept exactly; each byte that is not part of it becomes U+FFFD.
  json_line& text(std::string_view key, std::string_view value);
  /// Leaves the field out when the value is empty.
  json_line& text_if_any(std::string_view key, std::string_view value);
  json_line& number(std::string_view key, std::int64_t value);
  json_line& flag(std::string_view key, bool value);
  /// RFC 3339, UTC, milliseconds.
  json_line& time(std::string_view key, payments::wall_time value);
  json_line& begin_list(std::string_view key);
  json_line& element(std::string_view value);
  json_line& end_list();
  /// Closes the object.
  std::string_view finish();

 private:
  void key(std::string_view name);
  void quoted(std::string_view value);

  std::string& out_;
  bool first_ = true;
};

}  // namespace turnout::telemetry
