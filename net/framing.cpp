#include "net/framing.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "net/http.hpp"

namespace turnout::net::framing {
namespace {

namespace beast = boost::beast;
using beast::http::field;

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

bool is_alphanumeric(char byte) noexcept {
  return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/// Letters, digits and `others`.
bool only_has(std::string_view text, std::string_view others) noexcept {
  return std::all_of(text.begin(), text.end(), [others](char byte) {
    return is_alphanumeric(byte) || others.find(byte) != std::string_view::npos;
  });
}

bool asks_to_close(std::string_view value) {
  const beast::http::opt_token_list options{{value.data(), value.size()}};
  return std::any_of(options.begin(), options.end(), [](const auto& one) { return beast::iequals(one, "close"); });
}

constexpr verdict refused(std::string_view detail) noexcept { return {400, detail}; }

}  // namespace

bool same_token(std::string_view left, std::string_view right) noexcept {
  return beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

bool is_token(std::string_view text) noexcept { return !text.empty() && only_has(text, "!#$%&'*+-.^_`|~"); }

bool is_field_value(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return byte == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

bool is_origin_target(std::string_view text) noexcept {
  return text.starts_with('/') &&
         std::all_of(text.begin(), text.end(), [](char byte) { return byte > 0x20 && byte < 0x7f && byte != '#'; });
}

std::size_t header_length(std::string_view bytes, std::size_t scanned) noexcept {
  const auto at = bytes.find("\r\n\r\n", scanned < 3 ? 0 : scanned - 3);
  return at == std::string_view::npos ? 0 : at + 4;
}

bool has_folded_line(std::string_view lines) noexcept {
  for (auto at = lines.find("\r\n"); at != std::string_view::npos; at = lines.find("\r\n", at + 2))
    if (at + 2 < lines.size() && (lines[at + 2] == ' ' || lines[at + 2] == '\t')) return true;
  return false;
}

verdict judge_lines(std::string_view header, bool is_request) noexcept {
  if (has_folded_line(header)) return refused("folded header lines are refused");
  const auto line = header.substr(0, header.find("\r\n"));
  // To Beast 1.0 is as good as 1.1, and 2.0 as bad as garbage.
  const auto version = line.substr(line.rfind(' ') + 1);
  if (is_request && version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
      is_digit(version[7]) && version != "HTTP/1.1")
    return {505, "only HTTP/1.1 is spoken here"};
  return {};
}

void append_wiping(std::string& text, std::string_view more) {
  if (text.capacity() - text.size() < more.size()) {
    std::string larger;
    larger.reserve(std::max(text.size() + more.size(), text.capacity() * 2));
    larger.append(text);
    wipe(text);
    text.swap(larger);
  }
  text.append(more);
}

verdict field_guard::take(field which, std::string_view value) noexcept {
  if (left_-- == 0) return {431, "too many header fields"};
  switch (which) {
    case field::host:
      if (std::exchange(host_, true) && is_request_) return refused("more than one Host");
      if (is_request_ && (value.empty() || !only_has(value, "-._~:[]%"))) return refused("Host is not a host name");
      return {};
    case field::content_length:
      if (std::exchange(length_, true)) return refused("more than one Content-Length");
      if (!std::all_of(value.begin(), value.end(), is_digit)) return refused("Content-Length is not a plain number");
      return {};
    case field::transfer_encoding:
      return same_token(value, "chunked") ? verdict{} : refused("Transfer-Encoding is not exactly chunked");
    case field::expect:
      if (!is_request_) return {};
      if (!same_token(value, "100-continue")) return {417, "the only expectation known is 100-continue"};
      expect_continue_ = true;
      return {};
    case field::connection: close_ = close_ || asks_to_close(value); return {};
    default: return {};
  }
}

verdict field_guard::finish() const noexcept {
  return is_request_ && !host_ ? refused("exactly one Host is needed") : verdict{};
}

}  // namespace turnout::net::framing
