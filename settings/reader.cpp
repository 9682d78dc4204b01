// Typed reads of scalars, lists and mappings. Messages quote what is written in
// the file, never what a secret was filled in with.
#include "settings/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace turnout::settings {
namespace {

using std::chrono::milliseconds;

/// Longer values are cut in messages.
constexpr std::size_t longest_quote = 60;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Splits "500ms" into 500 and "ms".
std::optional<std::pair<std::uint64_t, std::string_view>> split_unit(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_number<std::uint64_t>(text.substr(0, digits));
  if (!count) return std::nullopt;
  return std::pair(*count, text.substr(digits));
}

std::optional<std::uint64_t> scale(std::uint64_t count, std::uint64_t unit) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (count > most / unit) return std::nullopt;
  return count * unit;
}

std::string show(milliseconds span) {
  const std::int64_t ms = span.count();
  for (const auto& [unit, name] : {std::pair<std::int64_t, const char*>{3'600'000, "h"}, {60'000, "m"}, {1000, "s"}})
    if (ms != 0 && ms % unit == 0) return std::to_string(ms / unit) + name;
  return std::to_string(ms) + "ms";
}

std::string show(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, end};
}

/// " from a to b", leaving out ends that are no limit.
template <class T, class Show>
std::string range_text(T least, T most, Show shown) {
  const bool low = least != std::numeric_limits<T>::lowest(), high = most != std::numeric_limits<T>::max();
  if (low && high && least == most) return " equal to " + shown(least);
  if (low && high) return " from " + shown(least) + " to " + shown(most);
  if (low) return " of at least " + shown(least);
  if (high) return " of at most " + shown(most);
  return {};
}

std::string list(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::string_view each : words) out.append(out.empty() ? "" : ", ").append(each);
  return out;
}

bool is_variable_name(std::string_view name) noexcept {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  if (name.empty() || !letter(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string beside(const std::string& file, std::string_view path) {
  const std::size_t slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return std::string(path);
  return file.substr(0, slash + 1).append(path);
}

/// What one ${…} stands for; `failure` says why it has no value.
std::optional<std::string> fill_one(std::string_view inside, const document& file, std::string& failure) {
  if (inside.starts_with("file:")) {
    const std::string path = beside(file.file, inside.substr(5));
    auto content = file.secrets.file ? file.secrets.file(path) : std::nullopt;
    if (!content) {
      failure = "cannot read the file '" + path + "' that ${" + std::string(inside) + "} names";
      return std::nullopt;
    }
    while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) content->pop_back();
    return content;
  }
  const std::size_t colon = inside.find(":-");
  const std::string_view name = inside.substr(0, colon);
  if (!is_variable_name(name)) {
    failure = "'${" + std::string(inside) +
              "}' is not understood; allowed: ${NAME}, ${NAME:-default}, ${file:path}, and $${ for a plain ${";
    return std::nullopt;
  }
  auto content = file.secrets.variable ? file.secrets.variable(name) : std::nullopt;
  // As in a shell, the default also stands in for an empty variable.
  if (colon != std::string_view::npos && (!content || content->empty())) return std::string(inside.substr(colon + 2));
  if (!content)
    failure = "the environment variable " + std::string(name) + " is not set; set it, or write ${" + std::string(name) +
              ":-default}";
  return content;
}

std::optional<std::string> fill(std::string_view text, const document& file, std::string& failure) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("$${")) {
      out += "${";
      i += 3;
      continue;
    }
    if (!text.substr(i).starts_with("${")) {
      out += text[i++];
      continue;
    }
    const std::size_t end = text.find('}', i);
    if (end == std::string_view::npos) {
      failure = "'${' without its '}'; write $${ for a plain ${";
      return std::nullopt;
    }
    const auto filled = fill_one(text.substr(i + 2, end - i - 2), file, failure);
    if (!filled) return std::nullopt;
    out += *filled;
    i = end + 1;
  }
  return out;
}

}  // namespace

std::string unknown_word(std::string_view what, std::string_view word, const std::vector<std::string_view>& allowed) {
  std::string out(what);
  out.append(" '").append(word.substr(0, longest_quote)).append("'");
  const std::string_view near = nearest(word, allowed);
  if (!near.empty())
    out.append("; did you mean '").append(near).append("'? allowed: ");
  else
    out += "; allowed: ";
  return out += list(allowed);
}

value& value::operator=(const value& other) {
  if (this == &other) return *this;
  node_.reset(other.node_);
  name_ = other.name_, file_ = other.file_, found_ = other.found_;
  return *this;
}

value root(const document& file, problems& found) { return {file.root, "the file", file, found}; }

value value::child(const YAML::Node& node, std::string name) const { return {node, std::move(name), *file_, *found_}; }

int value::line() const { return present() ? node_.Mark().line + 1 : 0; }
int value::column() const { return present() ? node_.Mark().column + 1 : 0; }

void value::error(std::string message) const {
  if (present()) found_->push_back({file_->file, line(), column(), false, std::move(message)});
}

void value::warning(std::string message) const {
  if (present()) found_->push_back({file_->file, line(), column(), true, std::move(message)});
}

std::string value::quoted() const {
  if (is_null()) return "nothing";
  if (is_list()) return "a list";
  if (is_map()) return "a mapping";
  const std::string text = raw();
  return "'" + text.substr(0, longest_quote) + (text.size() > longest_quote ? "…'" : "'");
}

std::nullopt_t value::wrong(const std::string& what) const {
  error("'" + name_ + "' must be " + what + ", not " + quoted());
  return std::nullopt;
}

std::optional<std::string> value::filled(const char* wanted) const {
  if (!present()) return std::nullopt;
  if (!is_scalar()) return wrong(wanted);
  return fill_part(node_.Scalar());
}

std::optional<std::string> value::fill_part(std::string_view part) const {
  if (!present()) return std::nullopt;
  std::string failure;
  auto out = fill(part, *file_, failure);
  if (!out) error("'" + name_ + "': " + failure);
  return out;
}

std::optional<std::string> value::text(bool allow_empty) const {
  auto out = filled("text");
  if (out && out->empty() && !allow_empty) {
    error("'" + name_ + "' must not be empty");
    return std::nullopt;
  }
  return out;
}

std::optional<std::int64_t> value::integer(std::int64_t least, std::int64_t most) const {
  const auto text = filled("a whole number");
  if (!text) return std::nullopt;
  const auto out = parse_number<std::int64_t>(*text);
  if (out && *out >= least && *out <= most) return out;
  return wrong("a whole number" + range_text(least, most, [](std::int64_t n) { return std::to_string(n); }));
}

std::optional<double> value::number(double least, double most) const {
  const auto text = filled("a number");
  if (!text) return std::nullopt;
  const auto out = parse_number<double>(*text);
  if (out && std::isfinite(*out) && *out >= least && *out <= most) return out;
  return wrong("a number" + range_text(least, most, [](double n) { return show(n); }));
}

std::optional<bool> value::boolean() const {
  const auto text = filled("true or false");
  if (!text) return std::nullopt;
  if (*text == "true") return true;
  if (*text == "false") return false;
  return wrong("true or false");
}

std::optional<milliseconds> value::duration(milliseconds least, milliseconds most) const {
  const std::string example = "a duration such as 500ms, 8s, 10m or 24h";
  const auto text = filled(example.c_str());
  if (!text) return std::nullopt;
  const auto parts = split_unit(*text);
  const auto unit = [](std::string_view name) -> std::uint64_t {
    for (const auto& [known, ms] : {std::pair<std::string_view, std::uint64_t>{"ms", 1},
                                    {"s", 1000},
                                    {"m", 60'000},
                                    {"h", 3'600'000},
                                    {"d", 86'400'000}})
      if (name == known) return ms;
    return 0;
  };
  const std::uint64_t ms_each = parts ? unit(parts->second) : 0;
  if (ms_each == 0) return wrong(example);
  const auto ms = scale(parts->first, ms_each);
  if (ms && milliseconds(*ms) >= least && milliseconds(*ms) <= most) return milliseconds(*ms);
  return wrong("a duration from " + show(least) + " to " + show(most));
}

std::optional<double> value::percent(double least, double most) const {
  const auto text = filled("a percentage such as 20%");
  if (!text) return std::nullopt;
  const std::string_view view = *text;
  const auto out = view.ends_with('%') ? parse_number<double>(view.substr(0, view.size() - 1)) : std::nullopt;
  if (out && std::isfinite(*out) && *out / 100 >= least && *out / 100 <= most) return *out / 100;
  return wrong("a percentage from " + show(least * 100) + "% to " + show(most * 100) + "%");
}

std::optional<std::uint64_t> value::size(std::uint64_t least, std::uint64_t most) const {
  const auto text = filled("a size such as 64KiB or 1MiB");
  if (!text) return std::nullopt;
  const auto parts = split_unit(*text);
  std::optional<std::uint64_t> bytes;
  for (const auto& [unit, each] : {std::pair<std::string_view, std::uint64_t>{"", 1},
                                   {"B", 1},
                                   {"KiB", 1U << 10},
                                   {"MiB", 1U << 20},
                                   {"GiB", 1U << 30}})
    if (parts && parts->second == unit) bytes = scale(parts->first, each);
  if (!bytes) return wrong("a size such as 512B, 64KiB or 1MiB");
  if (*bytes >= least && *bytes <= most) return bytes;
  return wrong("a size of " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
}

std::optional<std::string> value::one_of(const std::vector<std::string_view>& allowed) const {
  auto word = filled("one word");
  if (!word) return std::nullopt;
  if (std::find(allowed.begin(), allowed.end(), *word) != allowed.end()) return word;
  error(unknown_word("'" + name_ + "' cannot be", raw(), allowed));
  return std::nullopt;
}

std::vector<value> value::items() const {
  std::vector<value> out;
  if (!present()) return out;
  if (!is_list()) {
    wrong("a list such as [a, b]");
    return out;
  }
  for (const auto& item : node_) out.push_back(child(item, name_ + "[" + std::to_string(out.size()) + "]"));
  return out;
}

std::vector<value> value::one_or_more() const {
  if (is_scalar()) return {*this};
  return items();
}

std::vector<std::string> value::texts() const {
  std::vector<std::string> out;
  for (const value& item : items())
    if (auto text = item.text()) out.push_back(std::move(*text));
  return out;
}

std::vector<entry> value::entries() const {
  std::vector<entry> out;
  if (!present()) return out;
  if (!is_map()) {
    wrong("a mapping (key: value)");
    return out;
  }
  for (const auto& pair : node_) {
    const std::string& key = pair.first.Scalar();
    out.push_back({key, child(pair.first, key), child(pair.second, key)});
  }
  return out;
}

fields::fields(value map, std::vector<std::string_view> allowed)
    : map_(std::move(map)), allowed_(std::move(allowed)), entries_(map_.entries()) {
  for (const entry& each : entries_)
    if (std::find(allowed_.begin(), allowed_.end(), each.key) == allowed_.end())
      each.key_value.error(unknown_word("unknown key", each.key, allowed_));
}

value fields::optional(std::string_view key) const {
  // Asking for a key that is not allowed is a mistake of the program.
  if (std::find(allowed_.begin(), allowed_.end(), key) == allowed_.end()) std::abort();
  for (const entry& each : entries_)
    if (each.key == key) return each.item;
  return {};
}

value fields::required(std::string_view key) const {
  value out = optional(key);
  if (!out && map_.is_map()) map_.error("missing key '" + std::string(key) + "'");
  return out;
}

bool fields::has(std::string_view key) const { return optional(key).present(); }

}  // namespace turnout::settings
