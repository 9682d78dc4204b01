#pragma once
// Which endpoint a method and a path mean. Endpoints are rows of a table; a
// row has at least `method` and `path`, where `{…}` stands for one segment.
#include <span>
#include <string>
#include <string_view>

namespace turnout::api {

/// True when `path` fits `path_template`; `parameter` is the text of its {…}.
inline bool match_path(std::string_view path_template, std::string_view path, std::string_view& parameter) noexcept {
  const std::size_t open = path_template.find('{');
  if (open == std::string_view::npos) return path == path_template;
  const std::string_view head = path_template.substr(0, open);
  const std::string_view tail = path_template.substr(path_template.find('}') + 1);
  if (path.size() <= head.size() + tail.size() || !path.starts_with(head) || !path.ends_with(tail)) return false;
  parameter = path.substr(head.size(), path.size() - head.size() - tail.size());
  return parameter.find('/') == std::string_view::npos;
}

template <class Row>
struct route_match {
  const Row* row = nullptr;
  std::string_view parameter;
  std::string allow;  ///< where the path exists and the method does not: what an Allow header says
};

/// HEAD is served by the row of GET.
template <class Row>
route_match<Row> find_route(std::span<const Row> table, std::string_view method, std::string_view path) {
  route_match<Row> found;
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (const Row& each : table) {
    std::string_view parameter;
    if (!match_path(each.path, path, parameter)) continue;
    if (each.method == wanted) return {&each, parameter, {}};
    if (!found.allow.empty()) found.allow.append(", ");
    found.allow.append(each.method);
    if (each.method == "GET") found.allow.append(", HEAD");
  }
  return found;
}

struct split_target {
  std::string_view path, query;  ///< query without the question mark
};
inline split_target split(std::string_view target) noexcept {
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return {target, {}};
  return {target.substr(0, question), target.substr(question + 1)};
}

}  // namespace turnout::api
