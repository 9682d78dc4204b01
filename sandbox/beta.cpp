// beta: HTTP Basic, decimal strings, and an answer whose body decides: what is
// refused comes with status 200 too. The idempotency key is a body member.
#include <array>

#include "sandbox/answer_writing.hpp"
#include "sandbox/reason_words.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace {

using payments::decline_reason;
using need = member_reader::need;

constexpr std::string_view prefix = charge_prefixes[1];

/// Response codes in the manner of ISO 8583; "99" is a plain decline.
constexpr std::array decline_words{
    reason_word{decline_reason::pickup_card, "04"},
    reason_word{decline_reason::do_not_honor, "05"},
    reason_word{decline_reason::invalid_card, "14"},
    reason_word{decline_reason::try_again_later, "19"},
    reason_word{decline_reason::lost_card, "41"},
    reason_word{decline_reason::stolen_card, "43"},
    reason_word{decline_reason::closed_account, "46"},
    reason_word{decline_reason::insufficient_funds, "51"},
    reason_word{decline_reason::expired_card, "54"},
    reason_word{decline_reason::not_permitted, "57"},
    reason_word{decline_reason::fraud_suspected, "59"},
    reason_word{decline_reason::limit_exceeded, "61"},
    reason_word{decline_reason::restricted_card, "62"},
    reason_word{decline_reason::issuer_unavailable, "91"},
    reason_word{decline_reason::processing_error, "96"},
    reason_word{decline_reason::incorrect_cvc, "N7"},
    reason_word{decline_reason::authentication_required, "1A"},
};

struct spoken {
  unsigned status;
  std::string_view code;
};

/// Only what is not beta's at all has another status than 200.
spoken say(refusal code) {
  switch (code) {
    case refusal::unauthorised: return {200, "UNAUTHORIZED"};
    case refusal::unknown_path: return {404, "UNKNOWN_PATH"};
    case refusal::method_not_allowed: return {405, "METHOD_NOT_ALLOWED"};
    case refusal::not_processed: return {200, "NOT_PROCESSED"};
    case refusal::none:
    case refusal::invalid:
    case refusal::key_mismatch:
    case refusal::amount_too_large:
    case refusal::currency_mismatch: return {200, "VALIDATION"};
    case refusal::key_in_flight:
    case refusal::duplicate_reference: return {200, "DUPLICATE_REFERENCE"};
    case refusal::rate_limited: return {200, "RATE_LIMITED"};
    case refusal::internal: return {200, "INTERNAL"};
    case refusal::reference_reversed: return {200, "REFERENCE_REVERSED"};
    case refusal::not_found:
    case refusal::unknown_charge: return {200, "UNKNOWN_TRANSACTION"};
    case refusal::not_approved:
    case refusal::already_captured:
    case refusal::not_captured:
    case refusal::already_voided: return {200, "INVALID_STATE"};
  }
  return {200, "INTERNAL"};
}

/// ,"transactionId":…,"transactionReference":…,"amount":{…}
void append_charge(std::string& out, const charge_view& charge) {
  out += ",\"transactionId\":";
  append_id(out, prefix, charge.number);
  out += ",\"transactionReference\":";
  append_quoted(out, charge.reference);
  if (!charge.amount) return;
  out += ",\"amount\":{\"value\":\"";
  out += payments::to_decimal(*charge.amount);
  out += "\",\"currency\":\"";
  out += charge.amount->unit.code();
  out += "\"}";
}

void append_decline(std::string& out, decline_reason reason) {
  out += ",\"responseCode\":\"";
  out += word_for(reason, decline_words, "99");
  out += "\",\"responseText\":";
  append_quoted(out, payments::to_string(reason));
}

std::string approval(const charge_view& charge, std::string_view state) {
  std::string body = "{\"result\":\"APPROVED\",\"state\":\"";
  body.reserve(256);
  body += state;
  body += "\",\"responseCode\":\"00\"";
  append_charge(body, charge);
  return body;
}

void append_total(std::string& out, std::string_view name, std::int64_t minor, payments::currency unit) {
  out += ",\"";
  out += name;
  out += "\":{\"value\":\"";
  out += payments::to_decimal({minor, unit});
  out += "\",\"currency\":\"";
  out += unit.code();
  out += "\"}";
}

/// What became of the charge since, for inquiries.
void append_totals(std::string& out, const charge_view& charge) {
  if (charge.amount) {
    append_total(out, "capturedTotal", charge.captured_total, charge.amount->unit);
    append_total(out, "refundedTotal", charge.refunded_total, charge.amount->unit);
  }
  out += charge.voided ? ",\"voided\":true" : ",\"voided\":false";
}

struct money_text {
  std::optional<std::int64_t> minor;
  std::optional<payments::currency> unit;
};

money_text read_amount(member_reader& root, need how) {
  member_reader inner = root.object("amount", how);
  if (!inner.has_object()) return {};
  const auto unit = read_currency(inner, "currency", need::required);
  const auto value = inner.text("value", need::required, 32);
  if (!unit || value.empty()) return {};
  const auto amount = payments::from_decimal(value, *unit);
  if (!amount || amount->minor <= 0 || amount->minor > payments::max_amount_minor) {
    inner.complain("value", "must be a positive decimal amount of the currency");
    return {};
  }
  return {amount->minor, unit};
}

/// "12/30" or "12/2030".
bool read_expiry(std::string_view text, presented_card& into) {
  if (text.size() != 5 && text.size() != 7) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 2 ? text[i] != '/' : (text[i] < '0' || text[i] > '9')) return false;
  }
  into.month = (text[0] - '0') * 10 + (text[1] - '0');
  into.year = 0;
  for (const char c : text.substr(3)) into.year = into.year * 10 + (c - '0');
  return true;
}

class beta final : public dialect {
 public:
  bool has_credential(const net::request& message) const override {
    constexpr std::string_view scheme = "Basic ";
    const auto value = net::find_header(message.fields, "authorization");
    return value.starts_with(scheme) && value.find_first_not_of(' ', scheme.size()) != std::string_view::npos;
  }

  reading read(const net::request& message, std::string_view target, const payments::instant& now) const override {
    constexpr std::string_view payments_path = "/payments";
    constexpr std::string_view by_reference = "by-reference/";
    const auto path = split(target).path;
    const bool post = message.method == "POST";
    if (path == payments_path) return post ? read_charge(message, now) : reading(bad_method());
    if (!path.starts_with("/payments/")) return rejection{refusal::unknown_path, {}, {}};
    auto rest = path.substr(payments_path.size() + 1);
    const bool referenced = rest.starts_with(by_reference);
    if (referenced) rest.remove_prefix(by_reference.size());
    const auto slash = rest.find('/');
    const auto id = rest.substr(0, slash);
    const auto verb = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (!referenced) return read_modification(message, id, verb);
    if (slash != std::string_view::npos && verb != "reverse") return rejection{refusal::unknown_path, {}, {}};
    const bool reverse = !verb.empty();
    if (post != reverse || (!post && message.method != "GET")) return bad_method();
    return read_referenced(message, id, reverse);
  }

  net::response charged(const charge_view& charge) const override {
    if (!charge.declined) return json_answer(200, approval(charge, state_word(charge)) + '}');
    return json_answer(200, declined(charge));
  }

  net::response inquired(const charge_view& charge) const override {
    if (charge.declined) return json_answer(200, declined(charge));
    std::string body;
    if (charge.reversed) {
      body = "{\"result\":\"REVERSED\"";
      append_charge(body, charge);
    } else {
      body = approval(charge, state_word(charge));
    }
    append_totals(body, charge);
    return json_answer(200, body + '}');
  }

  net::response reversed(std::string_view reference, std::uint64_t charge) const override {
    charge_view view;
    view.number = charge;
    view.reference = reference;
    std::string body = "{\"result\":\"REVERSED\"";
    append_charge(body, view);
    return json_answer(200, body + '}');
  }

  net::response modified(operation_kind kind, const charge_view& charge) const override {
    const std::string_view state = kind == operation_kind::capture  ? "CAPTURED"
                                   : kind == operation_kind::refund ? "REFUNDED"
                                                                    : "VOIDED";
    std::string body = approval(charge, state);
    append_member(body, "operationReference", charge.operation_reference);
    return json_answer(200, body + '}');
  }

  net::response refused(const rejection& why) const override {
    if (why.code == refusal::not_found) {
      std::string none = "{\"result\":\"NOT_FOUND\"";
      append_member(none, "transactionReference", why.reference);
      return json_answer(200, none + '}');
    }
    const auto [status, code] = say(why.code);
    std::string body = "{\"result\":\"ERROR\",\"errorCode\":\"";
    body += code;
    body += "\",\"message\":";
    append_quoted(body, why.message.empty() ? describe(why.code) : std::string_view(why.message));
    append_member(body, "transactionReference", why.reference);
    return json_answer(status, body + '}');
  }

 private:
  static rejection bad_method() { return {refusal::method_not_allowed, {}, {}}; }

  static std::string_view state_word(const charge_view& charge) { return charge.captured ? "CAPTURED" : "AUTHORIZED"; }

  static std::string declined(const charge_view& charge) {
    std::string body = "{\"result\":\"DECLINED\"";
    append_decline(body, charge.reason);
    append_charge(body, charge);
    return body + '}';
  }

  static reading read_charge(const net::request& message, const payments::instant& now) {
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.key = root.text("requestKey", need::optional);
    asked.reference = root.text("transactionReference", need::required, 100);
    const auto type = root.text("type", need::required);
    if (type == "AUTH") asked.operation = operation_kind::authorize;
    if (type != "AUTH" && type != "SALE") root.complain("type", "must be SALE or AUTH");
    const auto amount = read_amount(root, need::required);
    asked.amount = amount.minor;
    asked.unit = amount.unit;
    member_reader inner = root.object("card", need::required);
    if (inner.has_object()) read_card(inner, now, asked);
    if (complaint) return std::move(*complaint);
    return asked;
  }

  static void read_card(member_reader& inner, const payments::instant& now, call& into) {
    presented_card card;
    card.number = inner.text("pan", need::required);
    if (!read_expiry(inner.text("expiry", need::required), card)) inner.complain("expiry", "must be MM/YY");
    card.cvc = inner.text("securityCode", need::optional);
    card.holder = inner.text("holder", need::optional, 400);
    const card_names names{"pan", "expiry", "expiry", "securityCode"};
    settle_card(inner, names, card, now.wall, into);
  }

  static reading read_referenced(const net::request& message, std::string_view id, bool reverse) {
    call asked;
    asked.kind = reverse ? call_kind::reverse : call_kind::inquire;
    asked.reference = percent_decoded(id).value_or("");
    if (asked.reference.empty() || asked.reference.size() > 100) {
      return rejection{refusal::invalid, "the reference must have 1 to 100 characters", {}};
    }
    const json_body body(reverse ? std::string_view(message.body) : std::string_view());
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
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
    asked.key = root.text("requestKey", need::optional);
    asked.operation_reference = root.text("operationReference", need::optional, 100);
    const auto amount = read_amount(root, need::optional);
    asked.amount = amount.minor;
    asked.unit = amount.unit;
    if (complaint) return std::move(*complaint);
    return asked;
  }
};

}  // namespace

const dialect& beta_dialect() noexcept {
  static const beta speech;
  return speech;
}

}  // namespace turnout::sandbox
