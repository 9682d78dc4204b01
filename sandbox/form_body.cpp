#include "sandbox/form_body.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace json = boost::json;
namespace {

std::optional<std::string> decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto out = percent_decoded(spaced);
  payments::secure_wipe(spaced.data(), spaced.size());
  return out;
}

/// "a[b][c]" as a, b and c; empty when it is not of that shape.
std::vector<std::string_view> steps_of(std::string_view name) {
  std::vector<std::string_view> steps;
  const std::size_t open = std::min(name.find('['), name.size());
  steps.push_back(name.substr(0, open));
  if (steps.front().empty() || steps.front().find(']') != std::string_view::npos) return {};
  for (std::string_view rest = name.substr(open); !rest.empty();) {
    const std::size_t close = rest.find(']');
    if (rest.front() != '[' || close == std::string_view::npos) return {};
    steps.push_back(rest.substr(1, close - 1));
    if (steps.back().empty() || steps.back().find('[') != std::string_view::npos) return {};
    rest.remove_prefix(close + 1);
  }
  return steps.size() <= form_body::deepest_name ? steps : std::vector<std::string_view>();
}

bool add(json::object& root, std::string_view name, std::string_view value) {
  const auto steps = steps_of(name);
  if (steps.empty()) return false;
  json::object* at = &root;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    json::value& inner = (*at)[steps[i]];
    if (inner.is_null()) inner.emplace_object();
    at = inner.if_object();
    if (!at) return false;
  }
  return at->emplace(steps.back(), value).second;
}

json::value parse(std::string_view text, json::storage_ptr memory) {
  json::value root(json::object_kind, memory);
  for (std::size_t fields = 0; !text.empty(); ++fields) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals));
    auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    const bool good = fields < form_body::most_fields && name && value && add(root.get_object(), *name, *value);
    if (value) payments::secure_wipe(value->data(), value->size());
    if (!good) return json::value(nullptr, memory);
  }
  return root;
}

}  // namespace

form_body::form_body(std::string_view text)
    : memory_(buffer_.bytes, sizeof buffer_.bytes), root_(parse(text, json::storage_ptr(&memory_))) {}

}  // namespace turnout::sandbox
