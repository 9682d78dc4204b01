#include "proxy/api/endpoint_call.hpp"

#include <chrono>

namespace turnout::api {

namespace {

/// Pages of documentation have their own.
void add_unless_given(net::headers& fields, const char* name, const char* value) {
  for (const auto& [given, text] : fields)
    if (given == name) return;
  fields.emplace_back(name, value);
}

}  // namespace

void add_common_headers(net::response& answer, std::string_view request_id, bool tls) {
  auto& fields = answer.fields;
  fields.reserve(fields.size() + 7);
  fields.emplace_back("Request-Id", request_id);
  add_unless_given(fields, "Cache-Control", "no-store");
  fields.emplace_back("X-Content-Type-Options", "nosniff");
  add_unless_given(fields, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  fields.emplace_back("Referrer-Policy", "no-referrer");
  if (tls) fields.emplace_back("Strict-Transport-Security", "max-age=31536000");
}

std::string_view method_label(std::string_view method) noexcept {
  for (const std::string_view known : {"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})
    if (method == known) return known;
  return "other";
}

void endpoint_call::answer(net::response message) const {
  message.fields.insert(message.fields.end(), fields.begin(), fields.end());
  add_common_headers(message, request_id, context->tls);
  const unsigned status = message.status;
  reply(std::move(message));
  if (!context->on_request) return;
  const std::chrono::duration<double> taken = context->now().steady - arrival.steady;
  context->on_request({route, method, status, taken.count(), request_id, failure});
}

}  // namespace turnout::api
