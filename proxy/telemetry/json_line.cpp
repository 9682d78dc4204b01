// Builds a line of the log by appending to one buffer.
#include "proxy/telemetry/json_line.hpp"

#include <charconv>
#include <chrono>
#include <utility>

#include "proxy/telemetry/redaction.hpp"
#include "proxy/telemetry/utf8.hpp"

namespace turnout::telemetry {

namespace {

constexpr std::size_t shortest_card_number = 12;

void append_number(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_padded(std::string& out, std::int64_t value, int width) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  for (auto missing = width - (end - digits); missing > 0; --missing) out.push_back('0');
  out.append(static_cast<const char*>(digits), end);
}

void append_escape(std::string& out, unsigned char letter) {
  switch (letter) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr char hex[] = "0123456789abcdef";
  out += "\\u00";
  out += hex[letter >> 4];
  out += hex[letter & 15];
}

bool is_plain(unsigned char letter) noexcept {
  return letter >= 0x20 && letter < 0x7F && letter != '"' && letter != '\\';
}

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain(static_cast<unsigned char>(text[plain]))) ++plain;
    out.append(text.substr(at, plain - at));
    if ((at = plain) == text.size()) return;

    const auto letter = static_cast<unsigned char>(text[at]);
    if (letter < 0x80) {
      append_escape(out, letter);
      ++at;
    } else if (const std::size_t length = utf8_sequence_length(text, at); length > 0) {
      out.append(text.substr(at, length));
      at += length;
    } else {
      out.append(replacement_character);
      ++at;
    }
  }
}

}  // namespace

json_line::json_line(std::string& buffer) : out_(buffer) { out_.assign(1, '{'); }

void json_line::key(std::string_view name) {
  if (!std::exchange(first_, false)) out_.push_back(',');
  quoted(name);
  out_.push_back(':');
}

void json_line::quoted(std::string_view value) {
  out_.push_back('"');
  if (value.size() < shortest_card_number) {
    append_escaped(out_, value);
  } else {
    thread_local std::string clean;
    clean.clear();
    append_redacted(value, clean);
    append_escaped(out_, clean);
  }
  out_.push_back('"');
}

json_line& json_line::text(std::string_view name, std::string_view value) {
  key(name);
  quoted(value);
  return *this;
}

json_line& json_line::text_if_any(std::string_view name, std::string_view value) {
  return value.empty() ? *this : text(name, value);
}

json_line& json_line::number(std::string_view name, std::int64_t value) {
  key(name);
  const std::size_t begin = out_.size();
  append_number(out_, value);
  if (out_.size() - begin < shortest_card_number) return *this;
  // A number so long may be a card number that somebody put into a wrong field.
  const std::string digits = out_.substr(begin);
  if (redacted(digits) == digits) return *this;
  out_.resize(begin);
  quoted(digits);
  return *this;
}

json_line& json_line::flag(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
  return *this;
}

json_line& json_line::time(std::string_view name, payments::wall_time value) {
  namespace chrono = std::chrono;
  const auto moment = chrono::floor<chrono::milliseconds>(value);
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{moment - day};
  key(name);
  out_.push_back('"');
  append_padded(out_, int{date.year()}, 4);
  out_.push_back('-');
  append_padded(out_, unsigned{date.month()}, 2);
  out_.push_back('-');
  append_padded(out_, unsigned{date.day()}, 2);
  out_.push_back('T');
  append_padded(out_, clock.hours().count(), 2);
  out_.push_back(':');
  append_padded(out_, clock.minutes().count(), 2);
  out_.push_back(':');
  append_padded(out_, clock.seconds().count(), 2);
  out_.push_back('.');
  append_padded(out_, clock.subseconds().count(), 3);
  out_ += "Z\"";
  return *this;
}

json_line& json_line::begin_list(std::string_view name) {
  key(name);
  out_.push_back('[');
  return *this;
}

json_line& json_line::element(std::string_view value) {
  if (out_.back() != '[') out_.push_back(',');
  quoted(value);
  return *this;
}

json_line& json_line::end_list() {
  out_.push_back(']');
  return *this;
}

std::string_view json_line::finish() {
  out_.push_back('}');
  return out_;
}

}  // namespace turnout::telemetry
