#include "connectors/piece.hpp"

#include <algorithm>

#include "connectors/reply_headers.hpp"
#include "payments/card.hpp"

namespace turnout::connectors {
namespace {

constexpr char hex[] = "0123456789ABCDEF";

/// Appends runs of characters that need nothing, and `escaped` for the others.
template <class Plain, class Escape>
void append_runs(output& out, std::string_view text, Plain plain, Escape escaped) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (plain(static_cast<unsigned char>(text[i]))) continue;
    out.append(text.substr(begin, i - begin));
    escaped(static_cast<unsigned char>(text[i]));
    begin = i + 1;
  }
  out.append(text.substr(begin));
}

/// Room for a variable's text, in usual payments.
constexpr std::size_t usual_variable = 40;

}  // namespace

void output::grow(std::size_t more) {
  std::string larger;
  larger.reserve((text_.size() + more) * 2);
  larger.append(text_);
  payments::secure_wipe(text_.data(), text_.size());
  text_.swap(larger);
}

void add_literal(pieces& into, std::string_view text) {
  if (text.empty()) return;
  if (into.empty() || into.back().what != piece::action::literal) into.emplace_back();
  into.back().text += text;
}

void add_insert(pieces& into, variable id, std::string_view key, escape how) {
  piece& added = into.emplace_back();
  added.what = piece::action::insert;
  added.how = how;
  added.id = id;
  added.text = key;
}

void append_json(output& out, std::string_view text) {
  append_runs(
      out, text, [](unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; },
      [&](unsigned char c) {
        switch (c) {
          case '"': out.append("\\\""); return;
          case '\\': out.append("\\\\"); return;
          case '\n': out.append("\\n"); return;
          case '\r': out.append("\\r"); return;
          case '\t': out.append("\\t"); return;
          default: break;
        }
        const char escaped[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        out.append({escaped, sizeof escaped});
      });
}

void append_percent(output& out, std::string_view text) {
  append_runs(
      out, text,
      [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
               c == '_' || c == '~';
      },
      [&](unsigned char c) {
        const char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
        out.append({escaped, sizeof escaped});
      });
}

void append_header(output& out, std::string_view text) {
  append_runs(
      out, text, [](unsigned char c) { return c >= 0x20 && c != 0x7F; }, [](unsigned char) {});
}

void append_cookie(output& out, std::string_view text) {
  append_runs(
      out, text, [](unsigned char c) { return c == '"' || is_cookie_octet(static_cast<char>(c)); },
      [](unsigned char) {});
}

std::size_t usual_size(const pieces& in) noexcept {
  std::size_t size = 0;
  for (const piece& each : in) size += each.what == piece::action::insert ? usual_variable : each.text.size();
  return size;
}

void render(const pieces& in, const request_context& context, const exponents& decimals, output& out) {
  scratch buffer;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const piece& each = in[i];
    switch (each.what) {
      case piece::action::literal: out.append(each.text); break;
      case piece::action::comma:
        // Values end in a quote, a digit, a letter or a closing bracket, so this is unambiguous.
        if (out.last() != '{' && out.last() != '[') out.append(",");
        break;
      case piece::action::join:
        if (out.last() != '\0') out.append(each.text);
        break;
      case piece::action::skip_if_empty:
        if (text_of(each.id, each.text, context, decimals, buffer).empty()) i += each.skip;
        break;
      case piece::action::insert: {
        const std::string_view text = text_of(each.id, each.text, context, decimals, buffer);
        if (each.how == escape::json)
          append_json(out, text);
        else if (each.how == escape::percent)
          append_percent(out, text);
        else if (each.how == escape::header)
          append_header(out, text);
        else if (each.how == escape::cookie)
          append_cookie(out, text);
        else
          out.append(text);
        break;
      }
    }
  }
}

std::string render(const pieces& in, const request_context& context, const exponents& decimals) {
  output out(usual_size(in));
  render(in, context, decimals, out);
  return out.take();
}

bool inserts(const pieces& in, variable id) noexcept {
  return std::any_of(in.begin(), in.end(),
                     [id](const piece& each) { return each.what == piece::action::insert && each.id == id; });
}

}  // namespace turnout::connectors
