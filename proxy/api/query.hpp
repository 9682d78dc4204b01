#pragma once
// The query of a request: each parameter at most once, percent-decoded, in
// valid UTF-8, and only names that the endpoint knows.
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/api/problem.hpp"

namespace turnout::api {

/// The names that an endpoint's query may have.
using parameter_names = std::span<const std::string_view>;

class query {
 public:
  query() = default;
  /// `text` is what follows the question mark. A plus sign is a space, as forms
  /// and the URL classes of most languages write it; a plus is %2B. Faults are
  /// added to `errors`, up to most_errors in all, and never quote a value; a
  /// parameter that has one is not there.
  static query read(std::string_view text, parameter_names known, std::vector<field_error>& errors);

  /// The value, which may be empty; nullptr when the parameter is not there.
  const std::string* find(std::string_view name) const noexcept;

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;  ///< names are those of `known`
};

/// False when a percent sign is not followed by two hexadecimal digits.
bool decode_percent(std::string_view text, std::string& out);
bool is_utf8(std::string_view text) noexcept;

}  // namespace turnout::api
