#include "net/framing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace turnout::net::framing {
namespace {

constexpr std::uint8_t token_byte = 1, value_byte = 2, target_byte = 4, host_byte = 8;

constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::uint8_t bits = 0;
    const bool digit = byte >= '0' && byte <= '9';
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const auto among = [byte](std::string_view set) {
      return byte < 128 && set.find(static_cast<char>(byte)) != std::string_view::npos;
    };
    if (digit || letter || among("!#$%&'*+-.^_`|~")) bits |= token_byte;
    if (byte == '\t' || (byte >= 0x20 && byte != 0x7f)) bits |= value_byte;
    if (byte > 0x20 && byte < 0x7f && byte != '#') bits |= target_byte;
    if (digit || letter || among("-._~:[]%")) bits |= host_byte;
    table[byte] = bits;
  }
  return table;
}();

bool all_of(std::string_view text, std::uint8_t wanted) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [wanted](char byte) { return (classes[static_cast<unsigned char>(byte)] & wanted) != 0; });
}

char lower(char byte) noexcept { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr verdict refused(std::string_view detail) noexcept { return {400, detail}; }

/// What the fields said about framing, before it is judged.
struct seen {
  unsigned hosts = 0;
  unsigned lengths = 0;
  unsigned codings = 0;
};

verdict take_connection(std::string_view value, frame& how) noexcept {
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto option = trimmed(value.substr(0, comma));
    if (!option.empty() && !is_token(option)) return refused("Connection is not a list of tokens");
    if (same_token(option, "close")) how.close = true;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return {};
}

verdict take_length(std::string_view value, frame& how) noexcept {
  std::uint64_t length = 0;
  const auto* end = value.data() + value.size();
  // from_chars takes neither '+' nor blanks; a comma or anything else is left over.
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (value.empty() || value.front() == '-' || error != std::errc{} || stop != end)
    return refused("Content-Length is not a plain number");
  how.content_length = length;
  return {};
}

/// Looks at the few fields that matter here; all others only pass.
verdict take_field(std::string_view name, std::string_view value, bool is_request, seen& counted, frame& how) noexcept {
  switch (name.size()) {
    case 4:
      if (!same_token(name, "host")) return {};
      ++counted.hosts;
      if (is_request && (value.empty() || !all_of(value, host_byte))) return refused("Host is not a host name");
      return {};
    case 6:
      if (!is_request || !same_token(name, "expect")) return {};
      if (!same_token(value, "100-continue")) return {417, "the only expectation known is 100-continue"};
      how.expect_continue = true;
      return {};
    case 10: return same_token(name, "connection") ? take_connection(value, how) : verdict{};
    case 14:
      if (!same_token(name, "content-length")) return {};
      ++counted.lengths;
      return take_length(value, how);
    case 17:
      if (!same_token(name, "transfer-encoding")) return {};
      ++counted.codings;
      if (!same_token(value, "chunked")) return refused("Transfer-Encoding is not exactly chunked");
      how.chunked = true;
      return {};
    default: return {};
  }
}

/// One line without its CRLF.
verdict parse_field(std::string_view line, bool is_request, headers& out, seen& counted, frame& how) {
  if (line.front() == ' ' || line.front() == '\t') return refused("folded header lines are refused");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return refused("a header line has no colon");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return refused("a header name has a forbidden byte");
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return refused("a header value has a forbidden byte");
  if (const auto judged = take_field(name, value, is_request, counted, how); !judged) return judged;
  out.emplace_back(name, value);
  return {};
}

/// `lines`: all field lines, each with its CRLF, without the empty one.
verdict parse_fields(std::string_view lines, std::size_t count_limit, bool is_request, headers& out, frame& how) {
  seen counted;
  std::size_t count = 0;
  out.clear();
  while (!lines.empty()) {
    if (++count > count_limit) return {431, "too many header fields"};
    const auto end = lines.find("\r\n");
    if (const auto judged = parse_field(lines.substr(0, end), is_request, out, counted, how); !judged) return judged;
    lines.remove_prefix(end + 2);
  }
  if (is_request && counted.hosts != 1) return refused("exactly one Host is needed");
  if (counted.lengths > 1) return refused("more than one Content-Length");
  if (counted.codings > 1) return refused("more than one Transfer-Encoding");
  if (counted.lengths != 0 && counted.codings != 0) return refused("Content-Length beside Transfer-Encoding");
  return {};
}

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

verdict judge_version(std::string_view version) noexcept {
  if (version == "HTTP/1.1") return {};
  if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
      is_digit(version[7]))
    return {505, "only HTTP/1.1 is spoken here"};
  return refused("the protocol version is malformed");
}

int hex_digit(char byte) noexcept {
  if (is_digit(byte)) return byte - '0';
  const char small = lower(byte);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

bool same_token(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

bool is_token(std::string_view text) noexcept { return !text.empty() && all_of(text, token_byte); }
bool is_field_value(std::string_view text) noexcept { return all_of(text, value_byte); }

bool is_origin_target(std::string_view text) noexcept {
  return !text.empty() && text.front() == '/' && all_of(text, target_byte);
}

std::size_t header_length(std::string_view bytes, std::size_t scanned) noexcept {
  const auto at = bytes.find("\r\n\r\n", scanned < 3 ? 0 : scanned - 3);
  return at == std::string_view::npos ? 0 : at + 4;
}

verdict parse_request(std::string_view header, std::size_t count_limit, request& out, frame& how) {
  how = {};
  const auto line_end = header.find("\r\n");
  if (line_end == std::string_view::npos || !header.ends_with("\r\n\r\n")) return refused("the header has no end");
  const auto line = header.substr(0, line_end);
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return refused("the request line is malformed");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, second - first - 1);
  if (!is_token(method)) return refused("the method has a forbidden byte");
  if (const auto judged = judge_version(line.substr(second + 1)); !judged) return judged;
  if (!is_origin_target(target)) return refused("the target must be a path");
  out.method.assign(method);
  out.target.assign(target);
  const auto fields = header.substr(line_end + 2, header.size() - line_end - 4);
  return parse_fields(fields, count_limit, true, out.fields, how);
}

verdict parse_response(std::string_view header, std::size_t count_limit, response& out, frame& how) {
  how = {};
  const auto line_end = header.find("\r\n");
  if (line_end == std::string_view::npos || !header.ends_with("\r\n\r\n")) return refused("the header has no end");
  const auto line = header.substr(0, line_end);
  // "HTTP/1.1 200" and then nothing or a blank and a reason.
  if (line.size() < 12 || line[8] != ' ') return refused("the status line is malformed");
  if (const auto judged = judge_version(line.substr(0, 8)); !judged) return judged;
  if (!is_digit(line[9]) || line[9] == '0' || !is_digit(line[10]) || !is_digit(line[11]))
    return refused("the status is not a number");
  if (line.size() > 12 && (line[12] != ' ' || !is_field_value(line.substr(13))))
    return refused("the reason has a forbidden byte");
  out.status = static_cast<unsigned>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  const auto fields = header.substr(line_end + 2, header.size() - line_end - 4);
  return parse_fields(fields, count_limit, false, out.fields, how);
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

chunk_decoder::step chunk_decoder::feed(std::string_view bytes, std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (state_ == state::data) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
      append_wiping(body, bytes.substr(at, taken));
      at += taken;
      left_ -= taken;
      if (left_ == 0) state_ = state::data_cr;
      continue;
    }
    const auto now = control(bytes[at++]);
    if (now == progress::done) return {now, at};
    if (now != progress::more) return {now, at};
    if (state_ == state::data && left_ > body_limit_ - std::min(body_limit_, body.size()))
      return {progress::too_large, at};
  }
  return {progress::more, at};
}

chunk_decoder::progress chunk_decoder::control(char byte) noexcept {
  const auto expect = [&](char wanted, state next) {
    if (byte != wanted) return progress::malformed;
    state_ = next;
    return progress::more;
  };
  const auto spend = [&] { return ++overhead_ > overhead_limit_ ? progress::malformed : progress::more; };
  const auto kind = classes[static_cast<unsigned char>(byte)];
  switch (state_) {
    case state::size_first: {
      const int digit = hex_digit(byte);
      if (digit < 0) return progress::malformed;
      left_ = static_cast<std::uint64_t>(digit);
      state_ = state::size;
      return progress::more;
    }
    case state::size: {
      if (byte == '\r') return expect('\r', state::size_end);
      if (byte == ';') return expect(';', state::extension);
      const int digit = hex_digit(byte);
      // Sixty bits are kept free of overflow; leading zeros cost overhead, so they end too.
      if (digit < 0 || left_ >> 56 != 0) return progress::malformed;
      left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
      return left_ == static_cast<std::uint64_t>(digit) ? spend() : progress::more;
    }
    case state::extension:
      if (byte == '\r') return expect('\r', state::size_end);
      return (kind & value_byte) == 0 ? progress::malformed : spend();
    case state::size_end: return expect('\n', left_ == 0 ? state::trailer_first : state::data);
    case state::data: return progress::malformed;  // taken in bulk by feed()
    case state::data_cr: return expect('\r', state::data_end);
    case state::data_end: return expect('\n', state::size_first);
    case state::trailer_first:
      if (byte == '\r') return expect('\r', state::message_end);
      if ((kind & token_byte) == 0) return progress::malformed;
      state_ = state::trailer_name;
      return spend();
    case state::trailer_name:
      if (byte == ':') return expect(':', state::trailer_value);
      return (kind & token_byte) == 0 ? progress::malformed : spend();
    case state::trailer_value:
      if (byte == '\r') return expect('\r', state::trailer_end);
      return (kind & value_byte) == 0 ? progress::malformed : spend();
    case state::trailer_end: return expect('\n', state::trailer_first);
    case state::message_end: return byte == '\n' ? progress::done : progress::malformed;
  }
  return progress::malformed;
}

}  // namespace turnout::net::framing
