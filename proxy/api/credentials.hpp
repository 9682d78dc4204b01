#pragma once
// The Authorization header: Bearer ak_<id>:sk_<secret>, or HTTP Basic with the
// id as user and the secret as password.
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "payments/card.hpp"

namespace turnout::api {

struct credentials {
  std::string id;                  ///< ak_…
  payments::secret_string secret;  ///< sk_…
};

/// nullopt when the header is absent, repeated or not of these two forms.
std::optional<credentials> read_credentials(const net::headers& fields);

/// The token of "Bearer <token>", or an empty view.
std::string_view bearer_token(const net::headers& fields) noexcept;

/// Strict base 64 with padding.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace turnout::api
