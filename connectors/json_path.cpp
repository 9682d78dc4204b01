#include "connectors/json_path.hpp"

#include <algorithm>
#include <charconv>

namespace turnout::connectors {
namespace {

constexpr std::size_t longest_path = 16;
constexpr std::size_t largest_index = 999;

}  // namespace

std::optional<json_path> json_path::parse(std::string_view text) {
  if (!text.starts_with('$') || text.size() < 2) return std::nullopt;
  text.remove_prefix(1);
  json_path out;
  while (!text.empty()) {
    if (out.steps_.size() == longest_path) return std::nullopt;
    if (text[0] == '.') {
      const std::size_t end = std::min(text.find_first_of(".[", 1), text.size());
      const std::string_view key = text.substr(1, end - 1);
      if (key.empty() || key.find_first_of("]*?\"' ") != std::string_view::npos) return std::nullopt;
      out.steps_.emplace_back(std::string(key));
      text.remove_prefix(end);
    } else if (text[0] == '[') {
      std::size_t index = 0;
      const char* const last = text.data() + text.size();
      const auto [end, failed] = std::from_chars(text.data() + 1, last, index);
      if (failed != std::errc() || end == last || *end != ']' || index > largest_index) return std::nullopt;
      out.steps_.emplace_back(index);
      text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

const boost::json::value* json_path::find(const boost::json::value& in) const noexcept {
  const boost::json::value* at = &in;
  for (const step& each : steps_) {
    if (const auto* key = std::get_if<std::string>(&each)) {
      const auto* object = at->if_object();
      at = object ? object->if_contains(*key) : nullptr;
    } else {
      const auto* array = at->if_array();
      at = array ? array->if_contains(std::get<std::size_t>(each)) : nullptr;
    }
    if (!at) return nullptr;
  }
  return at;
}

}  // namespace turnout::connectors
