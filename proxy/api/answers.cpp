#include "proxy/api/answers.hpp"

#include "proxy/api/header_text.hpp"
#include "proxy/api/idempotency.hpp"

namespace turnout::api {

net::response json_answer(unsigned status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

problem make(const problem_kind& kind, std::string detail) { return {kind, std::move(detail), {}, {}, {}}; }

problem malformed(const json_failure& failure) {
  problem made = make(problems::malformed_request, failure.detail);
  if (!failure.field.empty()) made.errors.push_back({failure.field, failure.detail});
  return made;
}

problem no_payment() { return make(problems::not_found, "no payment has this id"); }

problem retry_soon(problem made) {
  made.fields.emplace_back("Retry-After", "1");
  return made;
}

problem key_in_progress() {
  return retry_soon(make(problems::idempotency_in_progress, "ask again in a moment with the same key and body"));
}

problem key_reused() {
  return {problems::idempotency_key_reused,
          "the request differs from the first one's; a new request needs a new key",
          {{std::string(idempotency_header), "was used with another request"}},
          {},
          {}};
}

std::optional<problem> check_media_type(const net::headers& fields) {
  const header_lookup type = only_header(fields, "Content-Type");
  if (type.count != 1 || !is_json_content_type(type.value))
    return make(problems::unsupported_media_type, "Content-Type must be application/json");
  const header_lookup coding = only_header(fields, "Content-Encoding");
  if (coding.count > 0 && !equal_ignoring_case(coding.value, "identity"))
    return make(problems::unsupported_media_type, "a Content-Encoding is not supported");
  return std::nullopt;
}

}  // namespace turnout::api
