#pragma once
// A second opinion on one HTTP/1.1 message: RFC 9112 in its narrowest reading,
// written for this test and sharing no code with the product. It sees the whole
// text at once and says nothing unless the message is complete, without doubt,
// and framed by its own header.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strict {

struct message {
  std::string start;  ///< method and target, or the status
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t length = 0;  ///< of all of it
  bool chunked = false;
  bool close = false;
  bool expects = false;
};

class reader {
 public:
  reader(std::string_view text, bool is_request, std::size_t count_limit, std::size_t body_limit)
      : text_(text), is_request_(is_request), count_limit_(count_limit), body_limit_(body_limit) {}

  std::optional<message> read() {
    const auto first = line();
    if (!first || !(is_request_ ? request_line(*first) : status_line(*first)) || !field_lines() || !body()) return {};
    out_.length = at_;
    return std::move(out_);
  }

 private:
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static bool among(std::string_view text, bool (*allowed)(unsigned char)) {
    return std::all_of(text.begin(), text.end(), [allowed](char c) { return allowed(static_cast<unsigned char>(c)); });
  }
  static bool token(std::string_view text) {
    return !text.empty() && among(text, [](unsigned char c) {
      return c < 0x80 && (std::isalnum(c) ||
                          std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos);
    });
  }
  static bool value(std::string_view text) {
    return among(text, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
  }
  static std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return made;
  }
  static std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    return from == text.npos ? std::string_view() : text.substr(from, text.find_last_not_of(" \t") - from + 1);
  }

  /// The next line without its CRLF.
  std::optional<std::string_view> line() {
    const auto end = text_.find("\r\n", at_);
    if (end == text_.npos) return {};
    const auto found = text_.substr(at_, end - at_);
    at_ = end + 2;
    return found;
  }

  bool request_line(std::string_view text) {
    const auto target = text.find(' ') + 1;
    const auto version = text.find(' ', target) + 1;
    if (target == 0 || version == 0 || text.substr(version) != "HTTP/1.1" || !token(text.substr(0, target - 1)))
      return false;
    const auto path = text.substr(target, version - target - 1);
    out_.start = text.substr(0, version - 1);
    return path.starts_with('/') && among(path, [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  }

  bool status_line(std::string_view text) {
    if (text.size() < 12 || !text.starts_with("HTTP/1.1 ") || text[9] == '0') return false;
    out_.start = text.substr(9, 3);
    // Not strict: real gateways leave out the blank before an empty reason.
    return std::all_of(out_.start.begin(), out_.start.end(), digit) &&
           (text.size() == 12 || (text[12] == ' ' && value(text.substr(13))));
  }

  /// Name and value of one field; the name in small letters.
  static std::optional<std::pair<std::string, std::string>> field(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos || !token(text.substr(0, colon)) || !value(text.substr(colon + 1))) return {};
    return std::pair(lower(text.substr(0, colon)), std::string(trimmed(text.substr(colon + 1))));
  }

  bool field_lines() {
    for (;;) {
      const auto text = line();
      if (!text) return false;
      if (text->empty()) return !is_request_ || hosts_ == 1;
      auto one = field(*text);
      if (!one || out_.fields.size() == count_limit_ || !judge(one->first, one->second)) return false;
      out_.fields.push_back(std::move(*one));
    }
  }

  bool judge(const std::string& name, const std::string& text) {
    if (name == "host") {
      ++hosts_;
      return !is_request_ || (!text.empty() && among(text, [](unsigned char c) {
        return c < 0x80 &&
               (std::isalnum(c) || std::string_view("-._~:[]%").find(static_cast<char>(c)) != std::string_view::npos);
      }));
    }
    if (name == "content-length") {
      if (length_ || out_.chunked || text.empty() || !std::all_of(text.begin(), text.end(), digit)) return false;
      length_ = 0;
      for (const char c : text)
        if ((length_ = *length_ * 10 + static_cast<std::size_t>(c - '0')) > body_limit_) return false;
    }
    if (name == "transfer-encoding") {
      if (length_ || out_.chunked || lower(text) != "chunked") return false;
      out_.chunked = true;
    }
    if (name == "expect" && is_request_) return out_.expects = lower(text) == "100-continue";
    return name != "connection" || connection(text);
  }

  bool connection(std::string_view text) {
    for (;;) {
      const auto comma = text.find(',');
      const auto option = trimmed(text.substr(0, comma));
      if (!option.empty() && !token(option)) return false;
      if (lower(option) == "close") out_.close = true;
      if (comma == text.npos) return true;
      text.remove_prefix(comma + 1);
    }
  }

  bool body() {
    const bool bodiless = !is_request_ && (out_.start[0] == '1' || out_.start == "204" || out_.start == "304");
    if (bodiless) return false;  // framed by its status, not by its header
    if (out_.chunked) return chunks();
    if (!is_request_ && !length_) return false;
    out_.body = text_.substr(at_, length_.value_or(0));
    at_ += out_.body.size();
    return out_.body.size() == length_.value_or(0);
  }

  bool chunks() {
    for (;;) {
      const auto text = line();
      if (!text) return false;
      const auto semicolon = text->find(';');
      const auto digits = text->substr(0, semicolon);
      if (digits.empty() || !among(digits, [](unsigned char c) { return c < 0x80 && std::isxdigit(c) != 0; }) ||
          !value(*text))
        return false;
      std::size_t size = 0;
      for (const char c : digits)
        if ((size = size * 16 + static_cast<std::size_t>(digit(c) ? c - '0' : (c | 32) - 'a' + 10)) > body_limit_)
          return false;
      if (size == 0) return trailers();
      if (out_.body.size() + size > body_limit_ || text_.size() - at_ < size + 2) return false;
      out_.body += text_.substr(at_, size);
      at_ += size;
      if (text_.substr(at_, 2) != "\r\n") return false;
      at_ += 2;
    }
  }

  bool trailers() {
    for (;;) {
      const auto text = line();
      if (!text) return false;
      if (text->empty()) return true;
      if (!field(*text)) return false;
    }
  }

  std::string_view text_;
  bool is_request_;
  std::size_t count_limit_;
  std::size_t body_limit_;
  std::size_t at_ = 0;
  unsigned hosts_ = 0;
  std::optional<std::size_t> length_;
  message out_;
};

}  // namespace strict
