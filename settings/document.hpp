#pragma once
// A YAML file as values that know their file:line:column. ${ENV} and
// ${file:path} are filled in when a scalar is read (see settings/reader.hpp).
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "settings/problem.hpp"

namespace turnout::settings {

/// Limits on one file; what goes beyond is a problem, never a crash.
inline constexpr std::size_t max_file_bytes = 1024 * 1024;
inline constexpr int max_depth = 32;
/// Nodes with every alias expanded, so that aliases of aliases cannot explode.
inline constexpr std::size_t max_nodes = 100'000;

/// Looks up what ${NAME} and ${file:path} stand for; nullopt: not set.
/// The adapter reads the environment and files; pure rooms never do. A relative
/// path comes in joined to the directory of the file that names it.
struct secret_source {
  std::function<std::optional<std::string>(std::string_view name)> variable;
  std::function<std::optional<std::string>(std::string_view path)> file;
};

/// A parsed file. Keeps its name for messages.
struct document {
  std::string file;  ///< as shown in messages; relative paths in it start at its directory
  YAML::Node root;
  secret_source secrets;
};

/// Parses text; nullopt and a problem with its position when it is not YAML
/// (also: duplicate keys, more than one document, an anchor that loops, a root
/// that is not a mapping, bytes that are not UTF-8, the limits above).
std::optional<document> parse(std::string file, std::string_view text, secret_source secrets, problems& found);

}  // namespace turnout::settings
