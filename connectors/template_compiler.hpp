#pragma once
// Templates as written in YAML into pieces. Every mistake is a problem with the
// position of the value it stands in.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/piece.hpp"
#include "settings/reader.hpp"

namespace turnout::connectors {

/// Where a template stands: decides escapes and which variables may be read.
enum class place : std::uint8_t { path, query, header, cookie, body };

struct template_scope {
  payments::operation operation;
  connectors::place place;
  /// The idempotency key: {{attempt.id}} is the id of what is sent, operation.id.
  bool key = false;
  /// The names that rules of this connector keep, for {{kept.<name>}}.
  std::span<const std::string> kept = {};
};

/// A key and its template that are added to a body (the idempotency key).
struct body_addition {
  std::vector<std::string> path;  ///< "a.b" is {"a", "b"}
  settings::value content;        ///< a scalar template
};

/// A scalar outside a JSON body; nullopt (reported) when it is wrong.
std::optional<pieces> compile_text(const settings::value& in, const template_scope& scope);

/// A JSON body: keys keep their order; numbers, true, false and null stay what
/// they are when plain; a key or item whose value is one variable is left out
/// when that variable is empty.
std::optional<pieces> compile_json(const settings::value& in, const template_scope& scope,
                                   const std::optional<body_addition>& addition);

/// How a form names the items of a list: a[0]=x&a[1]=y, or a[]=x&a[]=y.
enum class list_names : std::uint8_t { indexed, brackets };

/// A form body: keys keep their order, a[b]=c where mappings are nested; true,
/// false and numbers are sent as text, null as an empty value; a key or item
/// whose value is one variable is left out when that variable is empty.
std::optional<pieces> compile_form(const settings::value& in, const template_scope& scope, list_names lists,
                                   const std::optional<body_addition>& addition);

}  // namespace turnout::connectors
