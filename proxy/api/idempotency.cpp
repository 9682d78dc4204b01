#include "proxy/api/idempotency.hpp"

#include "proxy/api/header_text.hpp"

namespace turnout::api {

namespace {

constexpr std::size_t longest_key = 255;

/// The text between the quotes of a structured header string.
std::optional<std::string> unquote(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.back() != '"') return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    char c = quoted[i];
    if (c == '"') return std::nullopt;
    if (c == '\\') {
      if (i + 2 >= quoted.size()) return std::nullopt;
      c = quoted[++i];
      if (c != '"' && c != '\\') return std::nullopt;
    }
    if (c < 0x20 || c > 0x7e) return std::nullopt;
    text.push_back(c);
  }
  return text;
}

std::optional<std::string> bare(std::string_view value) {
  for (const char c : value)
    if (c <= 0x20 || c > 0x7e || c == '"') return std::nullopt;
  return std::string(value);
}

}  // namespace

idempotency_key read_idempotency_key(const net::headers& fields) {
  idempotency_key read;
  const header_lookup header = only_header(fields, idempotency_header);
  if (header.count == 0) return read;
  if (header.count > 1) {
    read.error = "must be given once";
    return read;
  }
  read.key = header.value.starts_with('"') ? unquote(header.value) : bare(header.value);
  if (!read.key)
    read.error = "must be visible ASCII characters, bare or as a quoted string";
  else if (read.key->empty())
    read.error = "must not be empty";
  else if (read.key->size() > longest_key)
    read.error = "must have at most 255 characters";
  if (!read.error.empty()) read.key.reset();
  return read;
}

std::string request_mac(const keyed_mac& mac, std::string_view method, std::string_view path,
                        const json_document& body) {
  secret_buffer message;
  message.reserve(1024);
  message.insert(message.end(), method.begin(), method.end());
  message.push_back('\0');
  message.insert(message.end(), path.begin(), path.end());
  message.push_back('\0');
  append_canonical(message, body.root(), "payment_method.card.cvc");
  return mac.hex(message);
}

}  // namespace turnout::api
