#pragma once
// Templates as written in YAML into pieces. Every mistake is a problem with the
// position of the value it stands in.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/piece.hpp"
#include "settings/reader.hpp"

namespace turnout::connectors {

/// Where a template stands: decides escapes and which variables may be read.
enum class place : std::uint8_t { path, query, header, body };

struct template_scope {
  payments::operation operation;
  connectors::place place;
  /// The idempotency key: {{attempt.id}} is the id of what is sent, operation.id.
  bool key = false;
};

/// A key and its template that are added to a body (the idempotency key).
struct body_addition {
  std::vector<std::string> path;  ///< "a.b" is {"a", "b"}
  settings::value content;        ///< a scalar template
};

/// A scalar outside a JSON body; nullopt (reported) when it is wrong.
std::optional<pieces> compile_text(const settings::value& in, template_scope scope);

/// A JSON body: keys keep their order; numbers, true, false and null stay what
/// they are when plain; a key or item whose value is one variable is left out
/// when that variable is empty.
std::optional<pieces> compile_json(const settings::value& in, payments::operation operation,
                                   const std::optional<body_addition>& addition);

}  // namespace turnout::connectors
