#include "proxy/api/cors.hpp"

#include <algorithm>

#include "proxy/api/header_text.hpp"

namespace turnout::api {

namespace {

constexpr const char* request_headers = "Authorization, Content-Type, Idempotency-Key, If-None-Match";
constexpr const char* readable_headers =
    "Request-Id, Idempotency-Replayed, Retry-After, RateLimit, RateLimit-Policy, ETag, WWW-Authenticate";

bool all_of(std::string_view text, std::string_view allowed) noexcept {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// The origin of the page, where it is an allowed one; else "".
std::string_view allowed_origin(const cors_settings& in, const net::headers& request) noexcept {
  const header_lookup origin = only_header(request, "Origin");
  return origin.count == 1 && in.allows(origin.value) ? origin.value : std::string_view();
}

}  // namespace

bool cors_settings::allows(std::string_view origin) const noexcept {
  return std::find(origins.begin(), origins.end(), origin) != origins.end();
}

bool is_origin(std::string_view text) noexcept {
  std::string_view usual_port;
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
    usual_port = "443";
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
    usual_port = "80";
  } else {
    return false;
  }
  if (const std::size_t colon = text.find(':', text.rfind(']') + 1); colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (!all_of(port, "0123456789") || port.size() > 5 || port.front() == '0' || port == usual_port) return false;
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']'))
    return all_of(text.substr(1, text.size() - 2), "0123456789abcdef:.");
  return all_of(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
}

void add_cors_fields(const cors_settings& in, const net::headers& request, net::headers& answer) {
  // Caches must not show one page's answer to another, allowed or not.
  answer.emplace_back("Vary", "Origin");
  const std::string_view origin = allowed_origin(in, request);
  if (origin.empty()) return;
  answer.emplace_back("Access-Control-Allow-Origin", origin);
  answer.emplace_back("Access-Control-Expose-Headers", readable_headers);
}

bool is_preflight(const cors_settings& in, const net::request& request) noexcept {
  return request.method == "OPTIONS" && only_header(request.fields, "Access-Control-Request-Method").count == 1 &&
         !allowed_origin(in, request.fields).empty();
}

net::response answer_preflight(const cors_settings& in, std::string methods) {
  return {204,
          {{"Access-Control-Allow-Methods", std::move(methods)},
           {"Access-Control-Allow-Headers", request_headers},
           {"Access-Control-Max-Age", std::to_string(in.max_age.count())}},
          {}};
}

}  // namespace turnout::api
