#include "connectors/template_parts.hpp"

#include <algorithm>

#include "connectors/reply_headers.hpp"

namespace turnout::connectors {
namespace {

using payments::operation;

bool is_modification(operation asked) noexcept {
  return asked == operation::capture || asked == operation::refund || asked == operation::void_payment;
}

bool is_charge(operation asked) noexcept { return asked == operation::sale || asked == operation::authorize; }

std::string_view trim(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Empty when the variable may stand there, else why not.
std::string refusal(const variable_info& wanted, const template_scope& scope) {
  const std::string name(wanted.name);
  switch (wanted.scope) {
    case variable_scope::anywhere: return {};
    case variable_scope::card:
      if (!is_charge(scope.operation))
        return "'" + name + "' is not known here: card data exists only in sale and authorize";
      if (scope.place != place::body)
        return "'" + name + "' may stand only in a body: paths and headers end up in logs";
      return {};
    case variable_scope::charge:
      if (!is_charge(scope.operation)) return "'" + name + "' is known only in sale and authorize";
      if (scope.place == place::path) return "'" + name + "' may not stand in a path; use query or body";
      return {};
    case variable_scope::later:
      if (is_charge(scope.operation)) return "'" + name + "' is not known before the charge was answered";
      if (scope.operation == operation::inquire || scope.operation == operation::reverse)
        return "'" + name +
               "' is not known when an answer was lost; inquire and reverse go by our own reference: 'attempt.id'";
      return {};
    case variable_scope::kept:
      if (is_charge(scope.operation)) return "'" + name + "' is not known before the charge was answered";
      if (scope.place == place::path && !is_modification(scope.operation))
        return "'" + name + "' may not stand in the path of '" + std::string(to_string(scope.operation)) +
               "': it is empty when an answer was lost; use query, header or body";
      return {};
    case variable_scope::modification:
    case variable_scope::merchants_words:
      if (!is_modification(scope.operation))
        return "'" + name + "' is not known here: it is about a capture, refund or void";
      if (wanted.scope == variable_scope::modification) return {};
      [[fallthrough]];
    case variable_scope::chosen_by_others:
      if (scope.place == place::path)
        return "'" + name +
               "' may not stand in a path, because merchants and shoppers choose its text; use query or body";
      return {};
  }
  return {};
}

const variable_info* info_of(variable id) noexcept {
  for (const variable_info& each : variable_table())
    if (each.id == id) return &each;
  return nullptr;
}

const variable_info* find_variable(std::string_view name, std::string& key) {
  for (const auto& [prefix, id] :
       {std::pair(std::string_view("metadata."), variable::metadata), {"kept.", variable::kept}}) {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    key = name.substr(prefix.size());
    return info_of(id);
  }
  for (const variable_info& each : variable_table())
    if (each.name == name && !name.ends_with('>')) return &each;
  return nullptr;
}

std::vector<std::string_view> variable_names(const template_scope& scope) {
  std::vector<std::string_view> names;
  for (const variable_info& each : variable_table())
    if (refusal(each, scope).empty()) names.push_back(each.name);
  return names;
}

/// Empty when a rule of this connector keeps it, else what is wrong.
std::string not_kept(const std::string& name, std::span<const std::string> kept) {
  if (std::find(kept.begin(), kept.end(), name) != kept.end()) return {};
  if (kept.empty()) return "'kept." + name + "' is not known: no rule of this file says 'keep'";
  return settings::unknown_word("unknown kept value", name, {kept.begin(), kept.end()});
}

}  // namespace

std::optional<std::vector<part>> split(const settings::value& in, const template_scope& scope) {
  const std::string raw = in.raw();
  std::vector<part> out;
  const auto add_text = [&](std::string_view text) {
    if (text.empty()) return true;
    auto filled = in.fill_part(text);
    if (filled) out.push_back({std::move(*filled), nullptr, {}});
    return filled.has_value();
  };
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t open = raw.find("{{", at);
    if (!add_text(std::string_view(raw).substr(at, open - at))) return std::nullopt;
    if (open == std::string::npos) break;
    const std::size_t close = raw.find("}}", open);
    if (close == std::string::npos) {
      in.error("'{{' without its '}}'");
      return std::nullopt;
    }
    part added;
    const std::string_view name = trim(std::string_view(raw).substr(open + 2, close - open - 2));
    added.inserted = find_variable(name, added.key);
    std::string why_not = added.inserted ? refusal(*added.inserted, scope) : std::string();
    if (added.inserted && added.inserted->id == variable::kept && why_not.empty())
      why_not = not_kept(added.key, scope.kept);
    if (!added.inserted)
      in.error(settings::unknown_word("unknown variable", name, variable_names(scope)));
    else if (!why_not.empty())
      in.error(why_not);
    if (!added.inserted || !why_not.empty()) return std::nullopt;
    // A capture under the charge's key would be answered with the charge, and
    // one refund's key must not be another's.
    if (scope.key && added.inserted->id == variable::attempt_id) added.inserted = info_of(variable::operation_id);
    out.push_back(std::move(added));
    at = close + 2;
  }
  return out;
}

bool carries_authentication(const settings::value& in) {
  if (!in.is_map()) return false;
  for (const settings::entry& each : in.entries()) {
    const std::string raw = each.item.is_scalar() ? each.item.raw() : std::string();
    const std::string_view text = trim(raw);
    if (text.starts_with("{{") && text.ends_with("}}") &&
        trim(text.substr(2, text.size() - 4)) == "authentication.cryptogram")
      return true;
  }
  return false;
}

namespace {

/// RFC 8259's grammar, so that what is copied into a body is always a number.
bool is_json_number(std::string_view text) noexcept {
  const auto digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::string json_escaped(std::string_view text) {
  output out(text.size() + 2);
  append_json(out, text);
  return out.take();
}

class json_compiler {
 public:
  json_compiler(const template_scope& scope, const std::optional<body_addition>& addition)
      : scope_(scope), addition_(addition) {}

  bool object(const settings::value& in, std::size_t depth_of_addition) {
    add_literal(out_, "{");
    bool first = true, sure = false;  // sure: something before this always stands
    bool good = true, added = false;
    for (const settings::entry& each : in.entries()) {
      const bool on_path =
          addition_ && depth_of_addition < addition_->path.size() && addition_->path[depth_of_addition] == each.key;
      const bool into = on_path && depth_of_addition + 1 < addition_->path.size() && each.item.is_map();
      if (on_path && !into) {
        each.key_value.error("the body's key '" + each.key +
                             "' is the idempotency key's place; remove it here, or change idempotency.name");
        good = false;
      }
      added = added || on_path;
      good = member(each.key, each.item, into ? depth_of_addition + 1 : no_addition, first, sure) && good;
      first = false;
    }
    if (addition_ && depth_of_addition < addition_->path.size() && !added)
      good = add(depth_of_addition, first, sure) && good;
    add_literal(out_, "}");
    return good;
  }

  pieces take() { return std::move(out_); }

 private:
  static constexpr std::size_t no_addition = static_cast<std::size_t>(-1);

  void separate(bool first, bool sure) {
    if (sure)
      add_literal(out_, ",");
    else if (!first)
      out_.emplace_back().what = piece::action::comma;
  }

  /// The keys of the addition that the body does not have.
  bool add(std::size_t depth, bool first, bool sure) {
    separate(first, sure);
    for (std::size_t i = depth; i < addition_->path.size(); ++i) {
      if (i > depth) add_literal(out_, "{");
      add_literal(out_, "\"" + json_escaped(addition_->path[i]) + "\":");
    }
    template_scope key_scope = scope_;
    key_scope.key = true;
    const auto parts = split(addition_->content, key_scope);
    const bool good = parts && scalar(addition_->content, *parts);
    for (std::size_t i = depth + 1; i < addition_->path.size(); ++i) add_literal(out_, "}");
    return good;
  }

  bool member(std::string_view key, const settings::value& in, std::size_t depth, bool first, bool& sure) {
    return element(in, depth, "\"" + json_escaped(key) + "\":", first, sure);
  }

  /// `prefix` is the key with its colon, or nothing in a list.
  bool element(const settings::value& in, std::size_t depth, const std::string& prefix, bool first, bool& sure) {
    std::optional<std::vector<part>> parts;
    if (in.is_scalar()) {
      parts = split(in, scope_);
      if (!parts) return false;
    }
    const bool skipped = parts && may_be_empty(*parts);
    const std::size_t guard = out_.size();
    const bool authentication = carries_authentication(in);
    if (authentication) {
      piece& skip = out_.emplace_back();
      skip.what = piece::action::skip_if_empty;
      skip.id = variable::authentication_cryptogram;
    }
    if (skipped) {
      piece& skip = out_.emplace_back();
      skip.what = piece::action::skip_if_empty;
      skip.id = parts->front().inserted->id;
      skip.text = parts->front().key;
    }
    separate(first, sure);
    add_literal(out_, prefix);
    const bool good = in.is_scalar() ? scalar(in, *parts) : container(in, depth);
    if (skipped || authentication) {
      out_[guard].skip = out_.size() - guard - 1;
      // What follows must not be joined to a literal that may be skipped.
      out_.emplace_back();
    } else {
      sure = true;
    }
    return good;
  }

  bool container(const settings::value& in, std::size_t depth) {
    if (in.is_map()) return object(in, depth);
    if (in.is_null()) {
      add_literal(out_, "null");
      return true;
    }
    add_literal(out_, "[");
    bool first = true, sure = false, good = true;
    for (const settings::value& item : in.items()) {
      good = element(item, no_addition, "", first, sure) && good;
      first = false;
    }
    add_literal(out_, "]");
    return good;
  }

  bool scalar(const settings::value& in, const std::vector<part>& parts) {
    const std::string raw = in.raw();
    if (in.is_plain() && (raw == "true" || raw == "false" || is_json_number(raw))) {
      add_literal(out_, raw);
      return true;
    }
    if (parts.size() == 1 && parts[0].inserted && parts[0].inserted->number) {
      add_insert(out_, parts[0].inserted->id, parts[0].key, escape::raw);
      return true;
    }
    add_literal(out_, "\"");
    for (const part& each : parts) {
      if (each.inserted)
        add_insert(out_, each.inserted->id, each.key, escape::json);
      else
        add_literal(out_, json_escaped(each.literal));
    }
    add_literal(out_, "\"");
    return true;
  }

  template_scope scope_;
  const std::optional<body_addition>& addition_;
  pieces out_;
};

bool good_literal(const settings::value& in, std::string_view text, connectors::place where) {
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = byte < 0x20 || byte == 0x7F;
    const bool url = where == place::path || where == place::query;
    if (where == connectors::place::cookie && !is_cookie_octet(c)) {
      in.error("'" + in.name() + "' contains a character that may not stand in a cookie");
      return false;
    }
    if (control || (url && (byte == ' ' || byte >= 0x80)) || (where == place::path && (c == '?' || c == '#'))) {
      in.error("'" + in.name() + "' contains a character that may not stand there" +
               (where == place::path && c == '?' ? "; write the query under 'query'" : ""));
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<pieces> compile_text(const settings::value& in, const template_scope& scope) {
  if (!in.is_scalar()) {
    static_cast<void>(in.text());  // says what is wrong
    return std::nullopt;
  }
  const auto parts = split(in, scope);
  if (!parts) return std::nullopt;
  pieces out;
  for (const part& each : *parts) {
    const escape how = scope.place == place::header   ? escape::header
                       : scope.place == place::cookie ? escape::cookie
                                                      : escape::percent;
    if (each.inserted) {
      add_insert(out, each.inserted->id, each.key, how);
    } else if (scope.place == place::query) {
      output encoded(each.literal.size());
      append_percent(encoded, each.literal);
      add_literal(out, encoded.take());
    } else {
      if (!good_literal(in, each.literal, scope.place)) return std::nullopt;
      add_literal(out, each.literal);
    }
  }
  return out;
}

std::optional<pieces> compile_json(const settings::value& in, const template_scope& scope,
                                   const std::optional<body_addition>& addition) {
  if (!in.is_map()) {
    static_cast<void>(in.entries());  // says what is wrong
    return std::nullopt;
  }
  json_compiler compiler(scope, addition);
  if (!compiler.object(in, addition ? 0 : static_cast<std::size_t>(-1))) return std::nullopt;
  return compiler.take();
}

}  // namespace turnout::connectors
