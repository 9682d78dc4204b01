// Reading an answer. Answers are untrusted: parsing is limited, nothing throws
// out of here, and what cannot be read exactly is not read at all.
#include "connectors/response_rules.hpp"

#include <algorithm>

#include <boost/json/monotonic_resource.hpp>

#include "connectors/answer_json.hpp"
#include "connectors/reply_headers.hpp"

namespace turnout::connectors {
namespace {

namespace json = boost::json;
using payments::outcome;
using payments::send_result;

/// A longer id is not used at all: a part of it would be the id of something else.
constexpr std::size_t longest_reference = 255;
/// Longer codes are cut: they are kept with the payment.
constexpr std::size_t longest_code = 100;
constexpr std::size_t longest_url = 2048;
/// A form's fields are kept with the payment until the shopper is back.
constexpr std::size_t most_fields = 30;
constexpr std::size_t longest_field_name = 100;
constexpr std::size_t longest_form = 16384;

bool same(const condition::literal& wanted, const json::value& found) noexcept {
  if (std::holds_alternative<std::nullptr_t>(wanted)) return found.is_null();
  if (const auto* truth = std::get_if<bool>(&wanted)) return found.is_bool() && found.get_bool() == *truth;
  if (const auto* number = std::get_if<std::int64_t>(&wanted)) return found.is_int64() && found.get_int64() == *number;
  return found.is_string() && std::string_view(found.get_string()) == std::get<std::string>(wanted);
}

bool holds(const condition& asked, const json::value& body) noexcept {
  const json::value* found = asked.path.find(body);
  const bool present = found && !found->is_null();
  if (asked.what == condition::kind::exists) return present;
  if (asked.what == condition::kind::absent) return !present;
  return found && std::any_of(asked.literals.begin(), asked.literals.end(),
                              [&](const auto& literal) { return same(literal, *found); });
}

bool holds(const status_ranges& ranges, unsigned status) noexcept {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
           return status >= range.first && status <= range.second;
         });
}

/// Cuts between characters, so that what is left is still UTF-8.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most));
}

/// A string or a whole number as text; empty for anything else.
std::string text_at(const std::optional<json_path>& path, const json::value& body, std::size_t most) {
  const json::value* found = path ? path->find(body) : nullptr;
  if (!found) return {};
  if (found->is_string()) return cut(found->get_string(), most);
  if (found->is_int64()) return std::to_string(found->get_int64());
  if (found->is_uint64()) return std::to_string(found->get_uint64());
  return {};
}

/// Neither control characters nor anything that a log or a page would show as something else.
std::string printable(std::string text) {
  for (char& each : text)
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7F) each = '?';
  return text;
}

/// What leads to another place when it stands in a path, even percent-encoded:
/// servers differ in when they decode.
bool fits_into_path(std::string_view text) noexcept { return text.find_first_of("/\\%") == std::string_view::npos; }

bool only_dots(std::string_view text) noexcept { return text.find_first_not_of('.') == std::string_view::npos; }

/// The gateway's own id is sent back to it: visible ASCII, or it is not one.
bool is_usable_reference(std::string_view text, bool in_path) noexcept {
  return !text.empty() && text.size() <= longest_reference && !only_dots(text) && (!in_path || fits_into_path(text)) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The amount in the charged currency's own minor units; only what is exact.
std::optional<std::int64_t> amount_at(const json_path& path, bool is_decimal, const json::value& body,
                                      payments::currency unit, int decimals) {
  const json::value* found = path.find(body);
  // A number with a point or an exponent has become a double: no longer exact.
  if (!found || !(found->is_string() || found->is_int64())) return std::nullopt;
  const std::string text = found->is_string() ? std::string(found->get_string()) : std::to_string(found->get_int64());
  if (is_decimal) {
    const auto read = payments::from_decimal(text, unit, decimals);
    return read ? std::optional(read->minor) : std::nullopt;
  }
  if (!all_digits(text)) return std::nullopt;
  const auto read = payments::from_minor(std::stoll(text), unit, decimals);
  return read ? std::optional(read->minor) : std::nullopt;
}

std::optional<std::string> currency_at(const json_path& path, const json::value& body) {
  const json::value* found = path.find(body);
  if (!found || !found->is_string() || found->get_string().size() != 3) return std::nullopt;
  std::string code(found->get_string());
  for (char& c : code)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return code;
}

bool usable_url(std::string_view url) noexcept {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  return url.size() < longest_url && std::none_of(url.begin(), url.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte == 0x7F || c == '"' || c == '<' || c == '>' || c == '\\';
         });
}

std::string_view word_for(outcome ended) noexcept {
  switch (ended) {
    case outcome::hard_decline:
    case outcome::soft_decline: return "declined";
    case outcome::not_sent: return "not_processed";
    case outcome::rejected: return "request_rejected";
    default: return {};
  }
}

void apply_reason(const rule& matched, const json::value& body, send_result& out) {
  out.reason = matched.reason;
  if (matched.code_from) {
    std::string code = text_at(matched.code_from, body, longest_code);
    const auto listed = matched.map->codes.find(code);
    out.reason = listed == matched.map->codes.end() ? matched.map->fallback : listed->second;
    out.gateway_code = printable(std::move(code));
  }
  out.result = describe(out.reason).outcome;
  out.code = to_string(out.reason);
}

/// A total that is there and cannot be read proves nothing, like one that is not there.
void apply_totals(const rule& matched, const json::value& body, payments::currency unit, int decimals,
                  send_result& out) {
  if (matched.captured_total)
    out.captured_total = amount_at(*matched.captured_total, matched.amount_is_decimal, body, unit, decimals);
  if (matched.refunded_total)
    out.refunded_total = amount_at(*matched.refunded_total, matched.amount_is_decimal, body, unit, decimals);
  out.voided = matched.voided;
  const json::value* found = matched.voided_path ? matched.voided_path->find(body) : nullptr;
  if (found && found->is_bool()) out.voided = found->get_bool();
}

/// All of it or nothing: half a form would send the shopper to an error page.
bool add_field(std::string_view name, const json::value* found, std::size_t& size, payments::shopper_action& out) {
  if (!found || !(found->is_string() || found->is_int64() || found->is_uint64())) return false;
  std::string content = found->is_string()  ? std::string(found->get_string())
                        : found->is_int64() ? std::to_string(found->get_int64())
                                            : std::to_string(found->get_uint64());
  size += name.size() + content.size();
  if (name.empty() || name.size() > longest_field_name || size > longest_form || out.fields.size() == most_fields)
    return false;
  out.fields.emplace_back(name, std::move(content));
  return true;
}

bool read_fields(const rule& matched, const json::value& body, payments::shopper_action& out) {
  std::size_t size = 0;
  for (const auto& [name, path] : matched.action_fields)
    if (!add_field(name, path.find(body), size, out)) return false;
  if (!matched.action_members) return true;
  const json::value* members = matched.action_members->find(body);
  if (!members || !members->is_object()) return false;
  for (const auto& [name, content] : members->get_object())
    if (!add_field(name, &content, size, out)) return false;
  return true;
}

void read_action(const rule& matched, const json::value& body, payments::shopper_action& out) {
  if (!matched.action_url) return;
  std::string url = text_at(matched.action_url, body, longest_url);
  if (!usable_url(url)) return;
  out.form = matched.action_is_form;
  if (read_fields(matched, body, out))
    out.url = std::move(url);
  else
    out = {};
}

/// Whole or not at all: half a token opens nothing.
void apply_keep(const rule& matched, const json::value& body, const wire_reply& reply, send_result& out) {
  for (const kept_source& each : matched.keep) {
    std::optional<std::string> value;
    if (each.in == kept_source::where::header) {
      value = find_header(reply, each.field);
    } else if (each.in == kept_source::where::cookie) {
      value = find_cookie(reply, each.field);
    } else if (const json::value* found = each.path->find(body);
               found && (found->is_string() || found->is_int64() || found->is_uint64())) {
      value = text_at(each.path, body, payments::longest_kept_value + 1);
    }
    if (value && each.in_path && (only_dots(*value) || !fits_into_path(*value))) continue;
    if (value && value->size() <= payments::longest_kept_value) out.kept.emplace_back(each.name, std::move(*value));
  }
}

/// Whose answer it is, the caller decides.
void read_echo(const rule& matched, const json::value& body, send_result& out) {
  const json::value* found = matched.echo ? matched.echo->find(body) : nullptr;
  const bool told = found && !found->is_null();
  if (matched.echo && (told || !matched.echo_may_be_absent)) out.echo = text_at(matched.echo, body, longest_reference);
}

/// An answer that was there and means nothing.
send_result unclear(std::string_view code) {
  send_result out;
  out.answered = out.carried = true;
  out.code = code;
  return out;
}

void apply(const rule& matched, const json::value& body, const wire_reply& reply, const payments::money& charged,
           const exponents& decimals, send_result& out) {
  out.result = matched.outcome;
  out.code = matched.decides ? word_for(matched.outcome) : "no_outcome";
  if (matched.not_found) {
    out.not_found = true;
    out.code = "not_found";
  }
  if (matched.map || matched.reason != payments::decline_reason::none) apply_reason(matched, body, out);
  out.captured = matched.captured;
  if (matched.captured_path) {
    const json::value* found = matched.captured_path->find(body);
    // Unset would count as captured after a sale: an approval that does not say
    // it as promised is believed no more than one without its amount.
    if (found && found->is_bool())
      out.captured = found->get_bool();
    else
      out.amount_unreadable = true;
  }
  if (matched.amount) {
    out.amount_minor =
        amount_at(*matched.amount, matched.amount_is_decimal, body, charged.unit, decimals.of(charged.unit));
    out.amount_unreadable = out.amount_unreadable || !out.amount_minor;
  }
  if (matched.currency) {
    out.currency = currency_at(*matched.currency, body);
    out.amount_unreadable = out.amount_unreadable || !out.currency;
  }
  apply_keep(matched, body, reply, out);
  apply_totals(matched, body, charged.unit, decimals.of(charged.unit), out);
  out.gateway_reference = text_at(matched.gateway_reference, body, longest_reference + 1);
  if (!is_usable_reference(out.gateway_reference, matched.reference_in_path)) out.gateway_reference.clear();
  if (matched.gateway_code) out.gateway_code = printable(text_at(matched.gateway_code, body, longest_code));
  read_echo(matched, body, out);
  read_action(matched, body, out.action);
  if (out.result == outcome::requires_action && out.action.empty()) {
    // The shopper cannot be sent anywhere: whether money moved must be asked.
    out.result = outcome::unknown;
    out.code = "action_url_unusable";
  }
}

bool matches(const rule& each, unsigned status, const json::value* body) noexcept {
  if (!holds(each.statuses, status)) return false;
  if (!body) return !each.needs_json();
  return std::all_of(each.conditions.begin(), each.conditions.end(),
                     [&](const condition& asked) { return holds(asked, *body); });
}

}  // namespace

send_result response_rules::read(const wire_reply& reply, const payments::money& charged,
                                 const exponents& decimals) const {
  send_result out = unclear("no_rule_matched");
  try {
    // Usual answers fit: no allocation for the tree.
    alignas(std::max_align_t) unsigned char buffer[4096];
    json::monotonic_resource memory(buffer, sizeof buffer);
    const json::value none(&memory);
    const auto parsed = needs_json_ ? parse_answer(reply.body, &memory) : std::nullopt;
    for (const rule& each : rules_) {
      if (!matches(each, reply.status, parsed ? &*parsed : nullptr)) continue;
      apply(each, parsed ? *parsed : none, reply, charged, decimals, out);
      // Without its id the charge could not be captured, refunded or found again.
      if (out.result == outcome::approved && each.gateway_reference && needs_reference_ &&
          out.gateway_reference.empty())
        out = unclear("gateway_reference_unusable");
      break;
    }
  } catch (const std::exception&) {
    // Out of memory and the like: what the answer meant is not known.
    out = unclear("answer_unreadable");
  }
  return out;
}

bool response_rules::can_say(outcome wanted) const noexcept {
  return std::any_of(rules_.begin(), rules_.end(), [&](const rule& each) { return each.outcome == wanted; });
}

void response_rules::use_in_paths(bool gateway_reference, const std::vector<std::string>& kept) {
  for (rule& each : rules_) {
    each.reference_in_path = gateway_reference;
    for (kept_source& one : each.keep) one.in_path = std::find(kept.begin(), kept.end(), one.name) != kept.end();
  }
}

bool response_rules::can_say_not_found() const noexcept {
  return std::any_of(rules_.begin(), rules_.end(), [](const rule& each) { return each.not_found; });
}

}  // namespace turnout::connectors
