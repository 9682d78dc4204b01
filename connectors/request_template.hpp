#pragma once
// How one operation is asked of a gateway: a `request:` block, compiled.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/template_compiler.hpp"
#include "connectors/wire.hpp"

namespace turnout::connectors {

/// The `auth:` block, ready to send.
struct credentials {
  std::string header, value;     ///< with every request; none when `query` is set
  std::string name, query = {};  ///< of the query: its name, and "name=value" percent-encoded
};

/// The `idempotency:` block, as far as requests need it.
struct key_template {
  enum class where : std::uint8_t { none, header, body };
  where in = where::none;
  std::string name;  ///< of the header
  pieces header_value;
  std::optional<body_addition> body;
};

/// What all requests of a connector share.
struct request_setting {
  std::string prefix;  ///< the path of base_url
  credentials auth;
  key_template key;
  std::vector<std::string> kept;  ///< the names that rules keep
};

struct request_template {
  std::string method;
  pieces target;
  /// One whose value comes out empty is not sent.
  std::vector<std::pair<std::string, pieces>> headers;
  std::string credential;  ///< "name=value" of the query
  bool has_body = false;
  pieces body;

  wire_request build(const request_context& context, const exponents& decimals) const;
};

std::optional<credentials> load_credentials(const settings::value& auth);

/// nullopt (reported) when it is wrong.
std::optional<request_template> load_request(const settings::value& request, payments::operation asked,
                                             const request_setting& setting);

/// A token of RFC 9110, as header names must be.
bool is_header_name(std::string_view name) noexcept;

}  // namespace turnout::connectors
