// `response:` blocks and reason maps as rules, with every mistake in place.
#include <algorithm>
#include <charconv>

#include "connectors/request_template.hpp"
#include "connectors/response_rules.hpp"

namespace turnout::connectors {
namespace {

/// Names are our own and short.
constexpr std::size_t longest_kept_name = 40;

using payments::decline_reason;
using payments::operation;
using payments::outcome;

std::vector<std::string_view> reason_names() {
  std::vector<std::string_view> names;
  for (const payments::decline_info& each : payments::decline_table()) names.push_back(each.name);
  return names;
}

std::optional<decline_reason> reason_of(const settings::value& in) {
  const auto name = in.one_of(reason_names());
  return name ? payments::parse_decline_reason(*name) : std::nullopt;
}

std::optional<json_path> path_of(const settings::value& in) {
  if (!in) return std::nullopt;
  const auto text = in.text();
  if (!text) return std::nullopt;
  auto out = json_path::parse(*text);
  if (!out) in.error("'" + in.name() + "' must be a path such as $.a.b[0].c, not '" + in.raw() + "'");
  return out;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// 200, "2xx" or "500-599".
std::optional<std::pair<unsigned, unsigned>> status_range(std::string_view text) {
  const auto code = [](std::string_view digits) -> std::optional<unsigned> {
    const auto number = whole_number<unsigned>(digits);
    return digits.size() == 3 && number && *number >= 100 && *number <= 599 ? number : std::nullopt;
  };
  if (text.size() == 3 && text.ends_with("xx") && text[0] >= '1' && text[0] <= '5') {
    const unsigned first = static_cast<unsigned>(text[0] - '0') * 100;
    return std::pair(first, first + 99);
  }
  const std::size_t dash = text.find('-');
  const auto first = code(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : code(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

bool lists(const condition& of, const condition::literal& one) {
  return std::find(of.literals.begin(), of.literals.end(), one) != of.literals.end();
}

/// `later` holding means that `earlier`, on the same path, holds as well.
bool implies(const condition& later, const condition& earlier) {
  const condition::literal null = nullptr;
  const auto no_nulls = [&] { return later.what == condition::kind::one_of && !lists(later, null); };
  const auto all_in = [&] {
    return later.what == condition::kind::one_of &&
           std::all_of(later.literals.begin(), later.literals.end(), [&](const auto& l) { return lists(earlier, l); });
  };
  switch (earlier.what) {
    case condition::kind::exists: return later.what == condition::kind::exists || no_nulls();
    case condition::kind::absent:
      return later.what == condition::kind::absent ||
             (later.what == condition::kind::one_of &&
              std::all_of(later.literals.begin(), later.literals.end(), [&](const auto& l) { return l == null; }));
    case condition::kind::one_of: return all_in();
  }
  return false;
}

bool covers_statuses(const status_ranges& earlier, const status_ranges& later) {
  if (earlier.empty()) return true;
  if (later.empty()) return false;
  return std::all_of(later.begin(), later.end(), [&](const auto& range) {
    for (unsigned status = range.first; status <= range.second; ++status)
      if (std::none_of(earlier.begin(), earlier.end(),
                       [&](const auto& each) { return status >= each.first && status <= each.second; }))
        return false;
    return true;
  });
}

class rule_loader {
 public:
  rule_loader(operation asked, const reason_maps& maps, bool carries_reference)
      : asked_(asked), maps_(maps), carries_reference_(carries_reference) {}

  std::optional<rule> load(const settings::value& item) {
    const settings::fields block(item, {"when", "outcome", "reason", "captured", "amount", "amount_format", "currency",
                                        "gateway_reference", "gateway_code", "action_url", "action", "captured_total",
                                        "refunded_total", "voided", "reference", "keep"});
    if (!item.is_map()) return std::nullopt;
    load_when(block.optional("when"));
    load_totals(block);
    load_keep(block.optional("keep"));
    load_echo(block.optional("reference"));
    load_ending(block);
    load_captured(block.optional("captured"));
    out_.amount = path(block.optional("amount"));
    if (const auto format = block.optional("amount_format")) {
      const auto decimal = format.choice<bool>({{"minor", false}, {"decimal", true}});
      good_ = good_ && decimal;
      out_.amount_is_decimal = decimal.value_or(false);
      if (!block.has("amount") && !out_.captured_total && !out_.refunded_total)
        fail(format, "'amount_format' is only for rules with an 'amount' or a total");
    }
    out_.currency = path(block.optional("currency"));
    out_.gateway_reference = path(block.optional("gateway_reference"));
    out_.gateway_code = path(block.optional("gateway_code"));
    out_.action_url = path(block.optional("action_url"));
    load_action(block.optional("action"));
    if (block.has("action") && block.has("action_url"))
      fail(block.optional("action"), "a rule says at most one of 'action' and 'action_url'");
    if (out_.outcome == outcome::requires_action && !block.has("action_url") && !block.has("action"))
      fail(item, "'outcome: requires_action' needs 'action_url' or 'action': where the shopper must go");
    if (!good_) return std::nullopt;
    return std::move(out_);
  }

 private:
  void fail(const settings::value& where, std::string message) {
    where.error(std::move(message));
    good_ = false;
  }

  std::optional<json_path> path(const settings::value& in) {
    auto out = path_of(in);
    good_ = good_ && (out || !in);
    return out;
  }

  /// A page that is opened, or a form that the shopper's browser posts.
  void load_action(const settings::value& in) {
    if (!in) return;
    const settings::fields block(in, {"url", "method", "fields"});
    if (!in.is_map()) {
      good_ = false;
      return;
    }
    out_.action_url = path(block.required("url"));
    good_ = good_ && out_.action_url;
    const auto posted = block.required("method").choice<bool>({{"GET", false}, {"POST", true}});
    good_ = good_ && posted;
    out_.action_is_form = posted.value_or(false);
    const settings::value fields = block.optional("fields");
    if (!fields) return;
    if (posted && !*posted) return fail(fields, "'fields' are only for method: POST");
    if (fields.is_scalar()) {
      out_.action_members = path(fields);
      return;
    }
    if (!fields.is_map()) good_ = false;
    for (const settings::entry& each : fields.entries()) {
      auto found = path(each.item);
      if (found) out_.action_fields.emplace_back(each.key, std::move(*found));
    }
  }

  void load_when(const settings::value& when) {
    if (when && !when.is_map()) good_ = false;
    for (const settings::entry& each : when.entries()) {
      if (each.key == "status") {
        load_statuses(each.item);
      } else if (each.key.starts_with('$')) {
        load_condition(each);
      } else {
        fail(each.key_value, settings::unknown_word("unknown condition", each.key, {"status", "$.path.to.field"}));
      }
    }
  }

  void load_statuses(const settings::value& in) {
    for (const settings::value& item : in.one_or_more()) {
      const auto text = item.text();
      const auto range = text ? status_range(*text) : std::nullopt;
      if (text && !range)
        item.error("'status' must be 200, 2xx, \"500-599\" or a list of them, not '" + item.raw() + "'");
      good_ = good_ && range;
      if (range) out_.statuses.push_back(*range);
    }
    if (out_.statuses.empty()) {
      if (good_) in.error("'status' must not be empty");
      good_ = false;
    }
  }

  void load_condition(const settings::entry& each) {
    auto where = json_path::parse(each.key);
    if (!where) return fail(each.key_value, "'" + each.key + "' must be a path such as $.a.b[0].c");
    condition made{std::move(*where), condition::kind::one_of, {}};
    const std::string raw = each.item.raw();
    if (each.item.is_plain() && (raw == "exists" || raw == "absent")) {
      made.what = raw == "exists" ? condition::kind::exists : condition::kind::absent;
    } else if (each.item.is_null()) {
      made.literals.emplace_back(nullptr);
    } else {
      for (const settings::value& item : each.item.one_or_more()) load_literal(item, made);
      if (made.literals.empty() && good_)
        fail(each.item, "'" + each.key + "' needs a value, a list of values, exists or absent");
    }
    if (made.what == condition::kind::one_of && made.literals.empty()) good_ = false;
    out_.conditions.push_back(std::move(made));
  }

  void load_literal(const settings::value& item, condition& into) {
    const std::string raw = item.raw();
    if (item.is_null()) {
      into.literals.emplace_back(nullptr);
    } else if (item.is_plain() && (raw == "true" || raw == "false")) {
      into.literals.emplace_back(raw == "true");
    } else if (const auto number = item.is_plain() ? whole_number<std::int64_t>(raw) : std::nullopt;
               number && std::to_string(*number) == raw) {
      into.literals.emplace_back(*number);
    } else if (auto text = item.text(true)) {
      into.literals.emplace_back(std::move(*text));
    } else {
      good_ = false;
    }
  }

  void load_totals(const settings::fields& block) {
    const settings::value captured = block.optional("captured_total"), refunded = block.optional("refunded_total"),
                          voided = block.optional("voided");
    for (const settings::value& each : {captured, refunded, voided})
      if (each && asked_ != operation::inquire) fail(each, "'" + each.name() + "' is only for rules of 'inquire'");
    out_.captured_total = path(captured);
    out_.refunded_total = path(refunded);
    if (voided.raw().starts_with('$')) {
      out_.voided_path = path(voided);
    } else if (voided) {
      out_.voided = voided.boolean();
      good_ = good_ && out_.voided;
    }
  }

  /// A path, or {at: path, may_be_absent: true}.
  void load_echo(const settings::value& in) {
    if (!in) return;
    if (!carries_reference_)
      fail(in, std::string("the request does not carry ") +
                   (is_modification() ? "{{operation.id}}" : "{{attempt.id}}") +
                   ", so no answer can echo it in 'reference'");
    if (!in.is_map()) {
      out_.echo = path(in);
      return;
    }
    const settings::fields block(in, {"at", "may_be_absent"});
    out_.echo = path(block.required("at"));
    const settings::value absent = block.optional("may_be_absent");
    const auto may = absent ? absent.boolean() : std::optional(false);
    good_ = good_ && out_.echo && may;
    out_.echo_may_be_absent = may.value_or(false);
  }

  bool is_modification() const noexcept {
    return asked_ == operation::capture || asked_ == operation::refund || asked_ == operation::void_payment;
  }

  void load_keep(const settings::value& keep) {
    if (keep && !keep.is_map()) good_ = false;
    for (const settings::entry& each : keep.entries()) {
      const bool named = !each.key.empty() && each.key.size() <= longest_kept_name &&
                         each.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
      if (!named) fail(each.key_value, "a kept value's name must be 1 to 40 of a-z, 0-9 and '_'");
      kept_source made;
      made.name = each.key;
      if (each.item.is_map())
        load_kept_field(each.item, made);
      else
        made.path = path(each.item);
      out_.keep.push_back(std::move(made));
    }
  }

  void load_kept_field(const settings::value& in, kept_source& into) {
    const settings::fields block(in, {"header", "cookie"});
    const settings::value header = block.optional("header"), cookie = block.optional("cookie");
    if (header.present() == cookie.present())
      return fail(in, "'" + in.name() + "' must be a path such as $.session, {header: NAME} or {cookie: NAME}");
    into.in = header ? kept_source::where::header : kept_source::where::cookie;
    const settings::value& given = header ? header : cookie;
    into.field = given.text().value_or("");
    if (!is_header_name(into.field)) fail(given, "'" + given.name() + "' must be a header's or cookie's name");
  }

  bool tells_totals(const settings::fields& block) const {
    return asked_ == operation::inquire &&
           (block.has("captured_total") || block.has("refunded_total") || block.has("voided"));
  }

  void load_ending(const settings::fields& block) {
    const settings::value ended = block.optional("outcome"), reason = block.optional("reason");
    if (!ended && !reason && tells_totals(block)) {
      out_.decides = false;
      return;
    }
    if (ended.present() == reason.present())
      return fail(
          ended ? ended : block.map(),
          std::string("a rule says exactly one of 'outcome' and 'reason'") +
              (asked_ == operation::inquire && !ended
                   ? "; of an inquiry it may say neither, when it tells captured_total, refunded_total or voided"
                   : ""));
    if (ended)
      load_outcome(ended);
    else
      load_reason(reason);
  }

  void load_outcome(const settings::value& ended) {
    const std::string raw = ended.raw();
    if (raw == "unknown")
      return fail(ended, "a rule cannot say 'unknown': an answer that no rule matches is unknown; remove the rule");
    std::vector<std::string_view> allowed{"approved",     "pending",  "requires_action", "hard_decline",
                                          "soft_decline", "not_sent", "rejected"};
    if (asked_ == operation::inquire) {
      // What became of the inquiry itself says nothing about the charge.
      if (raw == "not_sent" || raw == "rejected")
        return fail(ended, "an inquiry cannot say '" + raw +
                               "': that is about the inquiry, not about the charge; leave such answers without a rule");
      allowed = {"approved", "pending", "requires_action", "hard_decline", "soft_decline", "not_found"};
    } else if (asked_ == operation::reverse) {
      if (raw != "approved" && raw != "not_found" && payments::parse_outcome(raw))
        return fail(ended, "a reversal is either acknowledged ('approved') or 'not_found', it cannot be '" + raw +
                               "'; leave such answers without a rule");
      allowed = {"approved", "not_found"};
    }
    const auto word = ended.one_of(allowed);
    if (!word)
      good_ = false;
    else if (*word == "not_found")
      out_.not_found = true;
    else
      out_.outcome = *payments::parse_outcome(*word);
  }

  void load_reason(const settings::value& reason) {
    if (asked_ == operation::reverse)
      return fail(reason, "a reversal has no reason: it is acknowledged ('outcome: approved') or 'not_found'");
    if (!reason.is_map()) {
      const auto named = reason_of(reason);
      good_ = good_ && named;
      out_.reason = named.value_or(decline_reason::none);
      return;
    }
    const settings::fields block(reason, {"from", "map"});
    const settings::value map = block.required("map");
    out_.code_from = path(block.required("from"));
    good_ = good_ && out_.code_from;
    std::vector<std::string_view> names;
    for (const auto& each : maps_) names.push_back(each.first);
    const auto name = names.empty() ? map.text() : map.one_of(names);
    if (name && names.empty()) map.error("there is no map '" + map.raw() + "'; write it under 'declines' or 'maps'");
    const auto found = name ? maps_.find(*name) : maps_.end();
    if (found == maps_.end())
      good_ = false;
    else
      out_.map = found->second;
    if (!out_.map) good_ = false;
  }

  void load_captured(const settings::value& in) {
    if (!in) return;
    if (in.raw().starts_with('$')) {
      out_.captured_path = path(in);
      return;
    }
    out_.captured = in.boolean();
    good_ = good_ && out_.captured;
  }

  operation asked_;
  const reason_maps& maps_;
  bool carries_reference_;
  bool good_ = true;
  rule out_;
};

}  // namespace

void add_kept_names(const settings::value& operation, std::vector<std::string>& into) {
  if (!operation.is_map()) return;
  for (const settings::entry& part : operation.entries()) {
    if (part.key != "response" || !part.item.is_list()) continue;
    for (const settings::value& each : part.item.items()) {
      if (!each.is_map()) continue;
      for (const settings::entry& member : each.entries()) {
        if (member.key != "keep" || !member.item.is_map()) continue;
        for (const settings::entry& kept : member.item.entries())
          if (std::find(into.begin(), into.end(), kept.key) == into.end()) into.push_back(kept.key);
      }
    }
  }
}

bool covers(const rule& earlier, const rule& later) {
  if (earlier.needs_json() && !later.needs_json()) return false;
  if (!covers_statuses(earlier.statuses, later.statuses)) return false;
  return std::all_of(earlier.conditions.begin(), earlier.conditions.end(), [&](const condition& wide) {
    return std::any_of(later.conditions.begin(), later.conditions.end(),
                       [&](const condition& narrow) { return narrow.path == wide.path && implies(narrow, wide); });
  });
}

std::optional<response_rules> response_rules::load(const settings::value& list, operation asked,
                                                   const reason_maps& maps, bool carries_reference) {
  if (!list) return std::nullopt;
  response_rules out;
  out.needs_reference_ = asked != operation::reverse;
  std::vector<int> lines;
  bool good = list.is_list();
  for (const settings::value& item : list.items()) {
    auto made = rule_loader(asked, maps, carries_reference).load(item);
    good = good && made;
    if (!made) continue;
    for (std::size_t i = 0; i < out.rules_.size(); ++i) {
      if (!covers(out.rules_[i], *made)) continue;
      item.error("this rule is never reached: the rule in line " + std::to_string(lines[i]) +
                 " matches all that it matches");
      good = false;
      break;
    }
    out.needs_json_ = out.needs_json_ || made->needs_json();
    out.rules_.push_back(std::move(*made));
    lines.push_back(item.line());
  }
  if (good && out.rules_.empty()) {
    list.error("'response' needs at least one rule");
    good = false;
  }
  if (!good) return std::nullopt;
  return out;
}

void load_reason_map(const std::string& name, const settings::value& block, reason_maps& into) {
  auto made = std::make_shared<reason_map>();
  bool good = block.is_map(), has_default = false;
  for (const settings::entry& each : block.entries()) {
    const auto reason = reason_of(each.item);
    good = good && reason;
    if (!reason) continue;
    if (each.key != "default") {
      made->codes.emplace(each.key, *reason);
      continue;
    }
    has_default = true;
    made->fallback = *reason;
    if (!describe(*reason).may_fail_over) continue;
    each.item.error("'default' must be a reason that is never tried at another gateway, such as declined; '" +
                    each.item.raw() + "' may be, and nobody knows what an unlisted code means");
    good = false;
  }
  if (good && !has_default) {
    block.error("the map '" + name + "' needs a 'default' for codes that it does not list, such as default: declined");
    good = false;
  }
  into[name] = good ? std::move(made) : nullptr;
}

}  // namespace turnout::connectors
