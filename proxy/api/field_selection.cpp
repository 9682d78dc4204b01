#include "proxy/api/field_selection.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace turnout::api {

namespace {

namespace json = boost::json;

// What render_payment() can write; a test compares the two.
constexpr std::string_view payment_fields[] = {
    "id",
    "object",
    "livemode",
    "status",
    "amount",
    "currency",
    "amount_authorized",
    "amount_captured",
    "amount_refunded",
    "reference",
    "connector",
    "payment_method",
    "payment_method.type",
    "payment_method.card",
    "payment_method.card.brand",
    "payment_method.card.bin",
    "payment_method.card.last4",
    "payment_method.card.exp_month",
    "payment_method.card.exp_year",
    "authentication",
    "authentication.version",
    "authentication.eci",
    "authentication.ds_transaction_id",
    "attempts",
    "attempts.id",
    "attempts.connector",
    "attempts.operation",
    "attempts.outcome",
    "attempts.code",
    "attempts.reason",
    "attempts.gateway_code",
    "attempts.gateway_reference",
    "attempts.reversal",
    "attempts.reversal_reason",
    "attempts.latency_ms",
    "attempts.started_at",
    "conversion",
    "next_action",
    "next_action.type",
    "next_action.url",
    "next_action.method",
    "next_action.fields",
    "next_action.expires_at",
    "attention",
    "attention.since",
    "attention.reason",
    "error",
    "error.code",
    "error.message",
    "error.reason",
    "error.class",
    "error.advice",
    "error.retry_after",
    "error.connector",
    "error.gateway_code",
    "metadata",
    "capture_before",
    "created_at",
    "updated_at",
};

/// Objects whose names are not ours; such a name may have dots.
constexpr std::string_view open_objects[] = {"metadata.", "next_action.fields."};

void choose(field_selection::node& root, std::string_view name) {
  field_selection::node* at = &root;
  std::string_view before;
  for (std::string_view rest = name; !rest.empty();) {
    const bool open = std::any_of(std::begin(open_objects), std::end(open_objects),
                                  [&](std::string_view each) { return each == before; });
    const std::string_view part = open ? rest : rest.substr(0, rest.find('.'));
    at = &at->members[std::string(part)];
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    before = name.substr(0, name.size() - rest.size());
  }
  at->whole = true;
}

void append(std::string& out, const json::value& value, const field_selection::node& wanted) {
  if (wanted.whole || (!value.is_object() && !value.is_array())) {
    out.append(json::serialize(value));
  } else if (value.is_array()) {
    out.push_back('[');
    for (const json::value& each : value.get_array()) {
      if (out.back() != '[') out.push_back(',');
      append(out, each, wanted);
    }
    out.push_back(']');
  } else {
    out.push_back('{');
    for (const auto& [name, member] : value.get_object()) {
      const auto chosen = wanted.members.find(std::string_view(name.data(), name.size()));
      if (chosen == wanted.members.end()) continue;
      if (out.back() != '{') out.push_back(',');
      out.append(json::serialize(name)).push_back(':');
      append(out, member, chosen->second);
    }
    out.push_back('}');
  }
}

}  // namespace

bool is_payment_field(std::string_view name) noexcept {
  const auto below = [name](std::string_view each) { return name.size() > each.size() && name.starts_with(each); };
  return std::find(std::begin(payment_fields), std::end(payment_fields), name) != std::end(payment_fields) ||
         std::any_of(std::begin(open_objects), std::end(open_objects), below);
}

field_selection field_selection::read(std::string_view names, std::vector<field_error>& errors) {
  field_selection made;
  made.wanted_.whole = false;
  for (const std::string_view always : {"id", "object"}) choose(made.wanted_, always);
  for (bool more = true; more;) {
    const std::size_t comma = names.find(',');
    const std::string_view name = names.substr(0, comma);
    if (!is_payment_field(name)) {
      errors.push_back(
          {"fields", "must be names of a payment's fields, separated by commas, such as id,status,error.code"});
      return {};
    }
    choose(made.wanted_, name);
    more = comma != std::string_view::npos;
    if (more) names.remove_prefix(comma + 1);
  }
  return made;
}

std::string field_selection::of(std::string payment) const {
  if (wanted_.whole) return payment;
  std::string out;
  append(out, json::parse(payment), wanted_);
  return out;
}

}  // namespace turnout::api
