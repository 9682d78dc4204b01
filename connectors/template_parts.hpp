#pragma once
// A scalar of a template, taken apart: what the compilers of all encodings
// begin with.
#include <optional>
#include <string>
#include <vector>

#include "connectors/template_compiler.hpp"

namespace turnout::connectors {

/// A literal, or a variable.
struct part {
  std::string literal;
  const variable_info* inserted = nullptr;
  std::string key;  ///< of metadata and kept
};

/// Splits before secrets are filled in: a secret that contains "{{" is text.
/// nullopt (reported) when a variable is unknown or may not stand there.
std::optional<std::vector<part>> split(const settings::value& in, const template_scope& scope);

/// An object with the cryptogram in it goes as a whole when a payment has none.
bool carries_authentication(const settings::value& in);

/// The only part is a variable that may be empty: what it stands for may be left out.
inline bool may_be_empty(const std::vector<part>& parts) noexcept {
  return parts.size() == 1 && parts.front().inserted && !parts.front().inserted->always;
}

}  // namespace turnout::connectors
