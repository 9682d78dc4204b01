#pragma once
// "$.a.b[0].c": the part of JSONPath that names one place.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

namespace turnout::connectors {

class json_path {
 public:
  /// nullopt when it is not of that shape, or deeper than 16 steps.
  static std::optional<json_path> parse(std::string_view text);
  /// Null when the answer has no such place.
  const boost::json::value* find(const boost::json::value& in) const noexcept;
  friend bool operator==(const json_path&, const json_path&) = default;

 private:
  using step = std::variant<std::string, std::size_t>;  ///< key or index
  std::vector<step> steps_;
};

}  // namespace turnout::connectors
