// gamma: an API key header, money as an object of minor units, the order
// reference as the only handle, and no idempotency keys at all.
#include <array>

#include "sandbox/answer_writing.hpp"
#include "sandbox/reason_words.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace {

using payments::decline_reason;
using need = member_reader::need;

constexpr std::string_view prefix = charge_prefixes[2];

constexpr std::array decline_words{
    reason_word{decline_reason::insufficient_funds, "GM-NSF"},
    reason_word{decline_reason::do_not_honor, "GM-DNH"},
    reason_word{decline_reason::stolen_card, "GM-STOLEN"},
    reason_word{decline_reason::lost_card, "GM-LOST"},
    reason_word{decline_reason::expired_card, "GM-EXPIRED"},
    reason_word{decline_reason::limit_exceeded, "GM-LIMIT"},
    reason_word{decline_reason::incorrect_cvc, "GM-CVC"},
    reason_word{decline_reason::fraud_suspected, "GM-FRAUD"},
    reason_word{decline_reason::issuer_unavailable, "GM-ISSUER-DOWN"},
    reason_word{decline_reason::processing_error, "GM-PROC"},
    reason_word{decline_reason::try_again_later, "GM-LATER"},
    reason_word{decline_reason::authentication_required, "GM-3DS"},
    reason_word{decline_reason::authentication_failed, "GM-AUTH"},
    reason_word{decline_reason::pickup_card, "GM-PICKUP"},
};

std::string_view category(decline_reason reason) {
  switch (payments::describe(reason).group) {
    case payments::decline_class::risk: return "risk";
    case payments::decline_class::technical: return "network";
    default: return "issuer";
  }
}

struct spoken {
  unsigned status;
  std::string_view code;
};

spoken say(refusal code) {
  switch (code) {
    case refusal::unauthorised: return {401, "unauthorised"};
    case refusal::unknown_path: return {404, "unknown_path"};
    case refusal::method_not_allowed: return {405, "method_not_allowed"};
    case refusal::rate_limited: return {429, "throttled"};
    case refusal::not_processed: return {503, "not_processed"};
    case refusal::internal: return {500, "internal"};
    case refusal::reference_reversed: return {409, "order_cancelled"};
    case refusal::key_in_flight:
    case refusal::duplicate_reference: return {409, "duplicate_order"};
    case refusal::not_found: return {404, "unknown_order"};
    case refusal::unknown_charge: return {404, "unknown_transaction"};
    case refusal::not_approved:
    case refusal::already_captured:
    case refusal::not_captured:
    case refusal::already_voided: return {409, "invalid_state"};
    case refusal::none:
    case refusal::invalid:
    case refusal::key_mismatch:
    case refusal::amount_too_large:
    case refusal::currency_mismatch: return {400, "bad_request"};
  }
  return {500, "internal"};
}

/// What became of the charge since, for inquiries.
void append_totals(std::string& out, const charge_view& charge) {
  out += ",\"totals\":{\"captured\":";
  append_number(out, charge.captured_total);
  out += ",\"refunded\":";
  append_number(out, charge.refunded_total);
  out += charge.voided ? "},\"voided\":true" : "},\"voided\":false";
}

std::string transaction(const charge_view& charge, std::string_view state, bool with_totals = false) {
  std::string body = "{\"transaction\":{\"id\":";
  body.reserve(256);
  append_id(body, prefix, charge.number);
  body += ",\"orderRef\":";
  append_quoted(body, charge.reference);
  body += ",\"state\":\"";
  body += state;
  body += '"';
  if (charge.amount) {
    body += ",\"money\":{\"minor\":";
    append_number(body, charge.amount->minor);
    body += ",\"code\":\"";
    body += charge.amount->unit.code();
    body += "\"}";
  }
  if (charge.declined) {
    body += ",\"refusal\":{\"category\":\"";
    body += category(charge.reason);
    body += "\",\"reason\":\"";
    body += word_for(charge.reason, decline_words, "GM-GENERIC");
    body += "\"}";
  }
  if (!charge.challenge_url.empty()) {
    body += ",\"challenge\":{\"url\":";
    append_quoted(body, charge.challenge_url);
    body += ",\"form\":{\"creq\":";
    append_quoted(body, charge.challenge_proof);
    body += "}}";
  } else if (with_totals && !charge.declined)
    append_totals(body, charge);
  body += '}';
  append_member(body, "operationRef", charge.operation_reference);
  return body + '}';
}

std::string_view state_word(const charge_view& charge) {
  if (!charge.challenge_url.empty()) return "challenge";
  if (charge.reversed) return "cancelled";
  if (charge.declined) return "refused";
  return charge.captured ? "settled" : "authorised";
}

void read_money(member_reader& root, need how, call& into) {
  member_reader inner = root.object("money", how);
  if (!inner.has_object()) return;
  into.amount = read_minor(inner, "minor", need::required);
  into.unit = read_currency(inner, "code", need::required);
}

class gamma final : public dialect {
 public:
  bool has_credential(const net::request& message) const override {
    return net::find_header(message.fields, "x-api-key").find_first_not_of(' ') != std::string_view::npos;
  }

  reading read(const net::request& message, std::string_view target, const payments::instant& now) const override {
    constexpr std::string_view transactions = "/api/transactions";
    const auto path = split(target).path;
    if (path == transactions) return message.method == "POST" ? read_charge(message, now) : reading(bad_method());
    if (!path.starts_with("/api/transactions/")) return rejection{refusal::unknown_path, {}, {}};
    const auto rest = path.substr(transactions.size() + 1);
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) {
      return read_modification(message, rest.substr(0, slash), rest.substr(slash + 1));
    }
    const bool reverse = message.method == "DELETE";
    if (!reverse && message.method != "GET") return bad_method();
    call asked;
    asked.kind = reverse ? call_kind::reverse : call_kind::inquire;
    asked.reference = percent_decoded(rest).value_or("");
    if (asked.reference.empty() || asked.reference.size() > 100) {
      return rejection{refusal::invalid, "the order reference must have 1 to 100 characters", {}};
    }
    return asked;
  }

  net::response charged(const charge_view& charge) const override {
    return json_answer(201, transaction(charge, state_word(charge)));
  }

  net::response inquired(const charge_view& charge) const override {
    return json_answer(200, transaction(charge, state_word(charge), true));
  }

  net::response reversed(std::string_view reference, std::uint64_t charge) const override {
    std::string body = "{\"cancelled\":true";
    append_member(body, "orderRef", reference);
    body += ",\"transaction\":";
    append_id(body, prefix, charge);
    return json_answer(200, body + '}');
  }

  net::response modified(operation_kind kind, const charge_view& charge) const override {
    const std::string_view state = kind == operation_kind::capture  ? "settled"
                                   : kind == operation_kind::refund ? "refunded"
                                                                    : "cancelled";
    return json_answer(200, transaction(charge, state));
  }

  net::response refused(const rejection& why) const override {
    const auto [status, code] = say(why.code);
    std::string body = "{\"fault\":{\"code\":\"";
    body += code;
    body += "\",\"message\":";
    append_quoted(body, why.message.empty() ? describe(why.code) : std::string_view(why.message));
    body += '}';
    append_member(body, "orderRef", why.reference);
    return json_answer(status, body + '}');
  }

 private:
  static rejection bad_method() { return {refusal::method_not_allowed, {}, {}}; }

  static reading read_charge(const net::request& message, const payments::instant& now) {
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.reference = root.text("orderRef", need::required, 100);
    const auto action = root.text("action", need::required);
    if (action == "authorise") asked.operation = operation_kind::authorize;
    if (action != "charge" && action != "authorise") root.complain("action", "must be charge or authorise");
    read_money(root, need::required, asked);
    member_reader inner = root.object("instrument", need::required);
    if (inner.has_object()) {
      presented_card card;
      card.number = inner.text("pan", need::required);
      card.month = inner.small_number("month");
      card.year = inner.small_number("year");
      card.cvc = inner.text("code", need::optional);
      card.holder = inner.text("name", need::optional, 400);
      const card_names names{"pan", "month", "year", "code"};
      settle_card(inner, names, card, now.wall, asked);
    }
    read_authentication(root, "returnUrl", "strongAuth", asked);
    if (complaint) return std::move(*complaint);
    return asked;
  }

  static reading read_modification(const net::request& message, std::string_view id, std::string_view verb) {
    const auto kind = modification(verb);
    if (!kind) return rejection{refusal::unknown_path, {}, {}};
    if (message.method != "POST") return bad_method();
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.kind = call_kind::modify;
    asked.operation = *kind;
    asked.charge = charge_number(prefix, id).value_or(0);
    asked.operation_reference = root.text("operationRef", need::optional, 100);
    read_money(root, need::optional, asked);
    if (complaint) return std::move(*complaint);
    return asked;
  }
};

}  // namespace

const dialect& gamma_dialect() noexcept {
  static const gamma speech;
  return speech;
}

}  // namespace turnout::sandbox
