#include "proxy/api/entity_tag.hpp"

#include <array>
#include <span>
#include <stdexcept>

#include <openssl/evp.h>

#include "proxy/api/header_text.hpp"
#include "proxy/api/keyed_mac.hpp"

namespace turnout::api {

namespace {

bool list_has(std::string_view list, std::string_view tag) {
  list = trimmed(list);
  if (list == "*") return true;
  // A tag may have commas: it ends at its quote.
  while (!list.empty()) {
    if (list.front() == ' ' || list.front() == '\t' || list.front() == ',') {
      list.remove_prefix(1);
      continue;
    }
    if (list.starts_with("W/")) list.remove_prefix(2);
    const std::size_t end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == tag) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

std::string entity_tag(std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(body.data(), body.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available in this OpenSSL");
  return '"' + to_hex(std::span(digest).first(16)) + '"';
}

bool matches_none_match(const net::headers& request, std::string_view tag) {
  for (const auto& [name, value] : request)
    if (equal_ignoring_case(name, "If-None-Match") && list_has(value, tag)) return true;
  return false;
}

}  // namespace turnout::api
