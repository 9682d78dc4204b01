#pragma once
// A YAML file as values that know their file:line:column, after ${ENV} and
// ${file:path} were filled in.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "settings/problem.hpp"

namespace turnout::settings {

/// Looks up what ${NAME} and ${file:path} stand for; nullopt: not set.
/// The adapter reads the environment and files; pure rooms never do.
struct secret_source {
  std::function<std::optional<std::string>(std::string_view name)> variable;
  std::function<std::optional<std::string>(std::string_view path)> file;
};

/// A parsed file. Keeps its name for messages.
struct document {
  std::string file;     ///< as shown in messages
  YAML::Node root;
  secret_source secrets;
};

/// Parses text; nullopt and a problem with its position when it is not YAML
/// (also: duplicate keys, more than one document, an anchor that loops).
std::optional<document> parse(std::string file, std::string_view text, secret_source secrets, problems& found);

}  // namespace turnout::settings
