#include "proxy/api/credentials.hpp"

#include "proxy/api/header_text.hpp"

namespace turnout::api {

namespace {

constexpr std::size_t longest_pair = 256;

/// What follows the scheme, or an empty view when it is another scheme.
std::string_view after_scheme(std::string_view value, std::string_view scheme) noexcept {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return {};
  if (!equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return {};
  return trimmed(value.substr(scheme.size()));
}

std::optional<credentials> split(std::string_view pair) {
  const std::size_t colon = pair.find(':');
  if (pair.size() > longest_pair || colon == std::string_view::npos) return std::nullopt;
  const std::string_view id = pair.substr(0, colon), secret = pair.substr(colon + 1);
  if (!id.starts_with("ak_") || !secret.starts_with("sk_")) return std::nullopt;
  return credentials{std::string(id), payments::secret_string(std::string(secret))};
}

int base64_digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  bytes.reserve(text.size());
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<unsigned>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>((bits >> held) & 0xff));
  }
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;  // padding bits that say something
  return bytes;
}

std::string_view bearer_token(const net::headers& fields) noexcept {
  const header_lookup header = only_header(fields, "Authorization");
  return header.count == 1 ? after_scheme(header.value, "Bearer") : std::string_view{};
}

std::optional<credentials> read_credentials(const net::headers& fields) {
  const header_lookup header = only_header(fields, "Authorization");
  if (header.count != 1) return std::nullopt;
  if (const std::string_view token = after_scheme(header.value, "Bearer"); !token.empty()) return split(token);
  const std::string_view basic = after_scheme(header.value, "Basic");
  if (basic.empty() || basic.size() > 2 * longest_pair) return std::nullopt;
  std::optional<std::string> pair = decode_base64(basic);
  if (!pair) return std::nullopt;
  std::optional<credentials> read = split(*pair);
  payments::secure_wipe(pair->data(), pair->size());  // NOLINT(clang-analyzer-cplusplus.InnerPointer): split() copies
  return read;
}

}  // namespace turnout::api
