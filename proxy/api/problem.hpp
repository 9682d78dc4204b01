#pragma once
// Errors for people and programs: RFC 9457 problem documents, one shape for
// the whole API.
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"
#include "routing/router.hpp"

namespace turnout::api {

/// A kind of problem; the table of all of them is in docs/api.md.
struct problem_kind {
  std::string_view code;
  unsigned status;
  std::string_view title;
};

namespace problems {
inline constexpr problem_kind malformed_request{"malformed_request", 400, "The request cannot be read"};
inline constexpr problem_kind invalid_request{"invalid_request", 400, "The request is not valid"};
inline constexpr problem_kind unauthorized{"unauthorized", 401, "A valid API key is needed"};
inline constexpr problem_kind insufficient_scope{"insufficient_scope", 403, "The API key may not do this"};
inline constexpr problem_kind origin_refused{"origin_refused", 403, "This is not for web pages"};
inline constexpr problem_kind not_found{"not_found", 404, "There is no such thing"};
inline constexpr problem_kind method_not_allowed{"method_not_allowed", 405, "This method is not possible here"};
inline constexpr problem_kind idempotency_in_progress{"idempotency_in_progress", 409,
                                                      "The first request with this key is still running"};
inline constexpr problem_kind operation_pending{"operation_pending", 409, "Another operation is not settled yet"};
inline constexpr problem_kind unsupported_media_type{"unsupported_media_type", 415, "The body must be JSON"};
inline constexpr problem_kind idempotency_key_reused{"idempotency_key_reused", 422,
                                                     "This key was used for another request"};
inline constexpr problem_kind no_connector{"no_connector", 422, "No connector can take this payment"};
inline constexpr problem_kind no_policy{"no_policy", 422, "No routing policy is for this payment"};
inline constexpr problem_kind invalid_state{"invalid_state", 422, "The payment is not where this can be done"};
inline constexpr problem_kind amount_too_large{"amount_too_large", 422, "That is more than is left"};
inline constexpr problem_kind not_supported{"not_supported", 422, "The payment's gateway cannot do this"};
inline constexpr problem_kind authorization_expired{"authorization_expired", 422, "The authorization has expired"};
inline constexpr problem_kind too_many_operations{"too_many_operations", 422, "The payment has too many operations"};
inline constexpr problem_kind reference_taken{"reference_taken", 422, "This reference is paid, or being paid"};
inline constexpr problem_kind rate_unavailable{"rate_unavailable", 422, "An exchange rate is missing"};
inline constexpr problem_kind reload_failed{"reload_failed", 422, "The configuration has errors"};
inline constexpr problem_kind rate_limited{"rate_limited", 429, "Too many requests"};
inline constexpr problem_kind card_testing_suspected{"card_testing_suspected", 429, "This looks like card testing"};
inline constexpr problem_kind internal_error{"internal_error", 500, "Something went wrong on our side"};
inline constexpr problem_kind journal_unavailable{"journal_unavailable", 503, "The payment cannot be recorded now"};
inline constexpr problem_kind shutting_down{"shutting_down", 503, "The proxy is stopping"};
}  // namespace problems

struct field_error {
  std::string field;  ///< dotted path, or the name of a header or query parameter
  std::string message;
};

struct problem {
  problem_kind kind;
  std::string detail;
  std::vector<field_error> errors;
  std::vector<routing::exclusion> exclusions;  ///< shown as `exclusions` when there are any
  net::headers fields;                         ///< Retry-After, Allow, …
};

/// 400 for what `errors` names; there is at least one.
problem invalid(std::vector<field_error> errors);

/// With Content-Type, and without the headers that every answer gets.
net::response render(const problem& what, std::string_view request_id);

/// For requests that break HTTP itself, see net::error_body.
problem protocol_problem(unsigned status, std::string_view detail);

}  // namespace turnout::api
