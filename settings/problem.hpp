#pragma once
// What is wrong with a configuration file, and where.
#include <string>
#include <vector>

namespace turnout::settings {

struct problem {
  std::string file;
  int line = 0, column = 0;  ///< 1-based; 0 when the file as a whole is meant
  bool warning = false;
  std::string message;  ///< what, and what is allowed; may end in a "did you mean"
  /// "file:line:column: error: message"
  std::string to_string() const;
};

using problems = std::vector<problem>;
bool has_errors(const problems& found) noexcept;

/// The nearest of `allowed` within a small edit distance, or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& allowed);

}  // namespace turnout::settings
