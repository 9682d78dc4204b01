#include "proxy/api/json_document.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include <boost/json/basic_parser_impl.hpp>

namespace turnout::api {

namespace json = boost::json;

/// What Boost's parser calls for every piece of the text.
struct json_builder {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  using node = json_document::node;
  json_document& document;
  const json_limits& limits;
  json_failure& failure;
  std::vector<std::uint32_t> open;  // objects and arrays around what is read
  std::uint32_t part_at = 0;        // where the key or string under way begins
  bool in_part = false;
  std::uint32_t key_at = 0, key_size = 0;

  json_builder(json_document& target, const json_limits& bounds, json_failure& why)
      : document(target), limits(bounds), failure(why) {
    open.reserve(limits.depth + 1);
  }

  bool refuse(json::error_code& ec, std::string detail, std::string field) {
    failure = {std::move(detail), std::move(field)};
    ec = json::error::exception;
    return false;
  }

  void append(json::string_view part) {
    if (!in_part) {
      in_part = true;
      part_at = static_cast<std::uint32_t>(document.texts_.size());
    }
    document.texts_.insert(document.texts_.end(), part.begin(), part.end());
  }

  std::uint32_t end_part() {
    in_part = false;
    return static_cast<std::uint32_t>(document.texts_.size()) - part_at;
  }

  std::string_view key_of(const node& each) const { return {document.texts_.data() + each.key_at, each.key_size}; }

  std::string path_to(std::string_view last) const {
    std::string path;
    for (std::size_t i = 1; i < open.size(); ++i) {
      path.append(key_of(document.nodes_[open[i]]));
      path.push_back('.');
    }
    path.append(last);
    return shown_path(path);
  }

  bool add(json::error_code& ec, node fresh) {
    if (document.nodes_.size() >= limits.values)
      return refuse(ec, "the body has more than " + std::to_string(limits.values) + " values", {});
    fresh.key_at = key_at;
    fresh.key_size = key_size;
    key_size = 0;
    const auto index = static_cast<std::uint32_t>(document.nodes_.size());
    if (!open.empty()) {
      node& around = document.nodes_[open.back()];
      if (around.last_child == json_document::none)
        around.first_child = index;
      else
        document.nodes_[around.last_child].next = index;
      around.last_child = index;
      ++around.children;
    }
    document.nodes_.push_back(fresh);
    if (fresh.kind == json_kind::object || fresh.kind == json_kind::array) open.push_back(index);
    return true;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& ec) { return add(ec, {.kind = json_kind::object}); }
  bool on_object_end(std::size_t, json::error_code&) { return open.pop_back(), true; }
  bool on_array_begin(json::error_code& ec) { return add(ec, {.kind = json_kind::array}); }
  bool on_array_end(std::size_t, json::error_code&) { return open.pop_back(), true; }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return append(part), true; }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    append(part);
    key_size = end_part();
    key_at = part_at;
    const std::string_view key(document.texts_.data() + key_at, key_size);
    const node& around = document.nodes_[open.back()];
    for (auto i = around.first_child; i != json_document::none; i = document.nodes_[i].next)
      if (key_of(document.nodes_[i]) == key) return refuse(ec, "the same field appears twice", path_to(key));
    if (around.children >= limits.fields_per_object)
      return refuse(ec, "an object has more than " + std::to_string(limits.fields_per_object) + " fields",
                    path_to(key));
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return append(part), true; }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    append(part);
    const std::uint32_t size = end_part();
    return add(ec, {.kind = json_kind::string, .text_at = part_at, .text_size = size});
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
    return add(ec, {.kind = json_kind::integer, .number = static_cast<std::uint64_t>(value)});
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& ec) {
    return add(ec, {.kind = json_kind::huge, .number = value});
  }
  bool on_double(double value, json::string_view, json::error_code& ec) {
    return add(ec, {.kind = json_kind::real, .number = std::bit_cast<std::uint64_t>(value)});
  }
  bool on_bool(bool value, json::error_code& ec) { return add(ec, {.kind = json_kind::boolean, .number = value}); }
  bool on_null(json::error_code& ec) { return add(ec, {.kind = json_kind::null}); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

namespace {

std::string explain(const json::error_code& ec, std::size_t offset) {
  const std::string at = " (at byte " + std::to_string(offset) + ")";
  if (ec == json::error::too_deep) return "the body is nested too deeply" + at;
  if (ec == json::error::incomplete) return "the body ends before the JSON text is complete" + at;
  if (ec == json::error::extra_data) return "there is something after the JSON text" + at;
  if (ec == json::error::illegal_leading_surrogate || ec == json::error::illegal_trailing_surrogate)
    return "an escaped surrogate has no partner" + at;
  // Boost reports bytes that are not UTF-8 as a syntax error too.
  return "the body is not a JSON text in UTF-8" + at;
}

void append(secret_buffer& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

void append_number(secret_buffer& out, char mark, std::uint64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.push_back(mark);
  out.insert(out.end(), digits, end);
  out.push_back(':');
}

/// `without` as seen from inside the child `key`; empty when it is elsewhere.
std::string_view inside(std::string_view without, std::string_view key) {
  if (without.size() <= key.size() || !without.starts_with(key) || without[key.size()] != '.') return {};
  return without.substr(key.size() + 1);
}

}  // namespace

std::optional<json_document> json_document::parse(std::string_view text, const json_limits& limits,
                                                  json_failure& failure) {
  failure = {};
  if (text.empty()) {
    failure.detail = "the body is empty";
    return std::nullopt;
  }
  std::optional<json_document> document{json_document{}};
  document->nodes_.reserve(48);
  // A decoded text is never longer than its source: nothing moves while reading.
  document->texts_.reserve(text.size());
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<json_builder> parser(options, *document, limits, failure);
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = json::error::extra_data;
  if (!ec) return document;
  if (failure.detail.empty()) failure.detail = explain(ec, used);
  return std::nullopt;
}

json_kind json_value::kind() const noexcept { return owner_->nodes_[index_].kind; }
std::string_view json_value::key() const noexcept {
  const auto& node = owner_->nodes_[index_];
  return {owner_->texts_.data() + node.key_at, node.key_size};
}
std::string_view json_value::text() const noexcept {
  const auto& node = owner_->nodes_[index_];
  return {owner_->texts_.data() + node.text_at, node.text_size};
}
std::int64_t json_value::integer() const noexcept { return static_cast<std::int64_t>(bits()); }
bool json_value::boolean() const noexcept { return bits() != 0; }
std::uint64_t json_value::bits() const noexcept { return owner_->nodes_[index_].number; }
std::size_t json_value::size() const noexcept { return owner_->nodes_[index_].children; }
std::optional<json_value> json_value::first_child() const noexcept {
  const auto child = owner_->nodes_[index_].first_child;
  if (child == json_document::none) return std::nullopt;
  return json_value(*owner_, child);
}
std::optional<json_value> json_value::next() const noexcept {
  const auto sibling = owner_->nodes_[index_].next;
  if (sibling == json_document::none) return std::nullopt;
  return json_value(*owner_, sibling);
}

void append_canonical(secret_buffer& out, const json_value& value, std::string_view without) {
  switch (value.kind()) {
    case json_kind::null: out.push_back('n'); return;
    case json_kind::boolean: out.push_back(value.boolean() ? 't' : 'f'); return;
    case json_kind::integer: append_number(out, 'i', value.bits()); return;
    case json_kind::huge: append_number(out, 'u', value.bits()); return;
    case json_kind::real: append_number(out, 'r', value.bits()); return;
    case json_kind::string:
      append_number(out, 's', value.text().size());
      append(out, value.text());
      return;
    case json_kind::array:
      out.push_back('[');
      for (auto child = value.first_child(); child; child = child->next()) append_canonical(out, *child, {});
      out.push_back(']');
      return;
    case json_kind::object: break;
  }
  std::vector<json_value> children;
  children.reserve(value.size());
  for (auto child = value.first_child(); child; child = child->next())
    if (without.empty() || child->key() != without) children.push_back(*child);
  std::sort(children.begin(), children.end(),
            [](const json_value& a, const json_value& b) { return a.key() < b.key(); });
  out.push_back('{');
  for (const json_value& child : children) {
    append_number(out, 'k', child.key().size());
    append(out, child.key());
    append_canonical(out, child, inside(without, child.key()));
  }
  out.push_back('}');
}

std::string shown_path(std::string_view path) {
  constexpr std::size_t longest = 200, telling_digits = 8;  // half of a card number
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool hides_number =
      std::count_if(path.begin(), path.end(), is_digit) >= static_cast<std::ptrdiff_t>(telling_digits);
  std::string shown(path.substr(0, longest));
  if (shown.size() < path.size()) {
    // Not in the middle of a UTF-8 sequence.
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0x80) shown.pop_back();
    if (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0x80) != 0) shown.pop_back();
    shown.append("…");
  }
  if (hides_number) std::replace_if(shown.begin(), shown.end(), is_digit, '*');
  return shown;
}

}  // namespace turnout::api
