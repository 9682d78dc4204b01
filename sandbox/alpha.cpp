// alpha: Bearer token, minor units, HTTP status and body agree, and an
// Idempotency-Key header.
#include <array>

#include "sandbox/answer_writing.hpp"
#include "sandbox/reason_words.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace {

using payments::decline_reason;
using need = member_reader::need;

constexpr std::string_view prefix = charge_prefixes[0];

constexpr std::array decline_words{
    reason_word{decline_reason::do_not_honor, "do_not_honor"},
    reason_word{decline_reason::try_again_later, "try_again_later"},
    reason_word{decline_reason::insufficient_funds, "insufficient_funds"},
    reason_word{decline_reason::limit_exceeded, "limit_exceeded"},
    reason_word{decline_reason::incorrect_cvc, "incorrect_cvc"},
    reason_word{decline_reason::declined, "card_declined"},
    reason_word{decline_reason::not_permitted, "transaction_not_allowed"},
    reason_word{decline_reason::restricted_card, "restricted_card"},
    reason_word{decline_reason::expired_card, "expired_card"},
    reason_word{decline_reason::lost_card, "lost_card"},
    reason_word{decline_reason::stolen_card, "stolen_card"},
    reason_word{decline_reason::pickup_card, "pickup_card"},
    reason_word{decline_reason::closed_account, "closed_account"},
    reason_word{decline_reason::invalid_card, "invalid_number"},
    reason_word{decline_reason::invalid_account, "invalid_account"},
    reason_word{decline_reason::do_not_retry, "do_not_try_again"},
    reason_word{decline_reason::stop_recurring, "revocation_of_authorization"},
    reason_word{decline_reason::issuer_unavailable, "issuer_not_available"},
    reason_word{decline_reason::processing_error, "processing_error"},
    reason_word{decline_reason::fraud_suspected, "fraudulent"},
    reason_word{decline_reason::gateway_risk, "blocked_by_risk"},
    reason_word{decline_reason::authentication_required, "authentication_required"},
    reason_word{decline_reason::authentication_failed, "authentication_failed"},
    reason_word{decline_reason::currency_not_supported, "currency_not_supported"},
    reason_word{decline_reason::card_not_supported, "card_not_supported"},
};

struct spoken {
  unsigned status;
  std::string_view code;
};

spoken say(refusal code) {
  switch (code) {
    case refusal::unauthorised: return {401, "invalid_api_key"};
    case refusal::none:
    case refusal::invalid: return {400, "invalid_request"};
    case refusal::unknown_path: return {404, "unknown_path"};
    case refusal::method_not_allowed: return {405, "method_not_allowed"};
    case refusal::key_mismatch: return {422, "idempotency_mismatch"};
    case refusal::key_in_flight: return {409, "idempotency_in_flight"};
    case refusal::rate_limited: return {429, "rate_limited"};
    case refusal::not_processed: return {503, "not_processed"};
    case refusal::internal: return {500, "internal_error"};
    case refusal::reference_reversed: return {409, "reference_reversed"};
    case refusal::duplicate_reference: return {409, "duplicate_reference"};
    case refusal::not_found: return {404, "not_found"};
    case refusal::unknown_charge: return {404, "charge_not_found"};
    case refusal::not_approved: return {409, "charge_not_approved"};
    case refusal::already_captured: return {409, "charge_already_captured"};
    case refusal::not_captured: return {409, "charge_not_captured"};
    case refusal::already_voided: return {409, "charge_already_voided"};
    case refusal::amount_too_large: return {400, "amount_too_large"};
    case refusal::currency_mismatch: return {400, "currency_mismatch"};
  }
  return {500, "internal_error"};
}

std::string_view decline_word(decline_reason reason) { return word_for(reason, decline_words, "card_declined"); }

void append_error(std::string& out, std::string_view code, std::string_view message, std::string_view field) {
  out += "\"error\":{\"code\":\"";
  out += code;
  out += "\",\"message\":";
  append_quoted(out, message);
  if (!field.empty()) {
    out += ",\"param\":";
    append_quoted(out, field);
  }
  out += '}';
}

std::string_view status_word(const charge_view& charge) {
  if (!charge.challenge_url.empty()) return "requires_action";
  if (charge.reversed) return "reversed";
  if (charge.declined) return "declined";
  return charge.captured ? "succeeded" : "authorized";
}

/// The charge object, left open for more members.
std::string charge_object(const charge_view& charge, std::string_view status) {
  std::string out = "{\"id\":";
  out.reserve(256);
  append_id(out, prefix, charge.number);
  out += ",\"object\":\"charge\",\"status\":\"";
  out += status;
  out += charge.captured ? "\",\"captured\":true" : "\",\"captured\":false";
  if (charge.amount) {
    out += ",\"amount\":";
    append_number(out, charge.amount->minor);
    out += ",\"currency\":\"";
    out += charge.amount->unit.code();
    out += '"';
  }
  out += ",\"reference\":";
  append_quoted(out, charge.reference);
  if (!charge.challenge_url.empty()) {
    out += ",\"action\":{\"url\":";
    append_quoted(out, charge.challenge_url);
    out += '}';
  }
  return out;
}

/// What became of the charge since, for inquiries.
void append_totals(std::string& out, const charge_view& charge) {
  out += ",\"amount_captured\":";
  append_number(out, charge.captured_total);
  out += ",\"amount_refunded\":";
  append_number(out, charge.refunded_total);
  out += charge.voided ? ",\"voided\":true" : ",\"voided\":false";
}

class alpha final : public dialect {
 public:
  bool has_credential(const net::request& message) const override {
    constexpr std::string_view scheme = "Bearer ";
    const auto value = net::find_header(message.fields, "authorization");
    return value.starts_with(scheme) && value.find_first_not_of(' ', scheme.size()) != std::string_view::npos;
  }

  reading read(const net::request& message, std::string_view target, const payments::instant& now) const override {
    const auto [path, query] = split(target);
    constexpr std::string_view charges = "/v1/charges";
    if (path == charges && message.method == "GET") return read_inquiry(query);
    if (path == charges && message.method == "POST") return read_charge(message, now);
    if (path == "/v1/reversals" && message.method == "POST") return read_reversal(message);
    if (path == charges || path == "/v1/reversals") return rejection{refusal::method_not_allowed, {}, {}};
    if (!path.starts_with(charges) || path.size() == charges.size() || path[charges.size()] != '/') {
      return rejection{refusal::unknown_path, {}, {}};
    }
    const auto rest = path.substr(charges.size() + 1);
    const auto slash = rest.find('/');
    const auto kind = slash == std::string_view::npos ? std::nullopt : modification(rest.substr(slash + 1));
    if (!kind) return rejection{refusal::unknown_path, {}, {}};
    if (message.method != "POST") return rejection{refusal::method_not_allowed, {}, {}};
    return read_modification(message, *kind, rest.substr(0, slash));
  }

  net::response charged(const charge_view& charge) const override {
    if (!charge.declined) return json_answer(200, charge_object(charge, status_word(charge)) + '}');
    std::string body = "{";
    append_error(body, decline_word(charge.reason), "the card was declined", {});
    append_member(body, "reference", charge.reference);
    return json_answer(402, body + '}');
  }

  net::response inquired(const charge_view& charge) const override {
    std::string body = charge_object(charge, status_word(charge));
    if (charge.declined) {
      body += ',';
      append_error(body, decline_word(charge.reason), "the card was declined", {});
    } else if (charge.challenge_url.empty()) {
      append_totals(body, charge);
    }
    return json_answer(200, body + '}');
  }

  net::response reversed(std::string_view reference, std::uint64_t charge) const override {
    std::string body = R"({"object":"reversal","status":"reversed","reference":)";
    append_quoted(body, reference);
    body += ",\"charge\":";
    append_id(body, prefix, charge);
    return json_answer(200, body + '}');
  }

  net::response modified(operation_kind kind, const charge_view& charge) const override {
    const std::string_view status = kind == operation_kind::capture  ? "succeeded"
                                    : kind == operation_kind::refund ? "refunded"
                                                                     : "voided";
    std::string body = charge_object(charge, status);
    append_member(body, "operation_reference", charge.operation_reference);
    return json_answer(200, body + '}');
  }

  net::response refused(const rejection& why) const override {
    const auto [status, code] = say(why.code);
    std::string body = "{";
    append_error(body, code, why.message.empty() ? describe(why.code) : std::string_view(why.message), why.field);
    append_member(body, "reference", why.reference);
    return json_answer(status, body + '}');
  }

 private:
  static reading finish(call&& asked, std::optional<rejection>& complaint) {
    if (complaint) return std::move(*complaint);
    return std::move(asked);
  }

  static void read_key(const net::request& message, call& into, std::optional<rejection>& complaint) {
    into.key = net::find_header(message.fields, "idempotency-key");
    if (into.key.size() > 255 && !complaint) {
      complaint = rejection{refusal::invalid, "Idempotency-Key is longer than 255 characters", {}};
    }
  }

  static reading read_inquiry(std::string_view query) {
    call asked;
    asked.kind = call_kind::inquire;
    asked.reference = query_value(query, "reference").value_or("");
    if (asked.reference.empty()) return rejection{refusal::invalid, "reference is required", "reference"};
    return asked;
  }

  static reading read_charge(const net::request& message, const payments::instant& now) {
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.amount = read_minor(root, "amount", need::required);
    asked.unit = read_currency(root, "currency", need::required);
    asked.operation = root.flag("capture", true) ? operation_kind::sale : operation_kind::authorize;
    asked.reference = root.text("reference", need::required, 100);
    member_reader inner = root.object("card", need::required);
    if (inner.has_object()) {
      presented_card card;
      card.number = inner.text("number", need::required);
      card.month = inner.small_number("exp_month");
      card.year = inner.small_number("exp_year");
      card.cvc = inner.text("cvc", need::optional);
      card.holder = inner.text("holder", need::optional, 400);
      const card_names names{"number", "exp_month", "exp_year", "cvc"};
      settle_card(inner, names, card, now.wall, asked);
    }
    read_authentication(root, "return_url", "authentication", asked);
    read_key(message, asked, complaint);
    return finish(std::move(asked), complaint);
  }

  static reading read_reversal(const net::request& message) {
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.kind = call_kind::reverse;
    asked.reference = root.text("reference", need::required, 100);
    read_key(message, asked, complaint);
    return finish(std::move(asked), complaint);
  }

  static reading read_modification(const net::request& message, operation_kind kind, std::string_view id) {
    const json_body body(message.body);
    if (!body.object()) return rejection{refusal::invalid, "the body must be a JSON object", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    call asked;
    asked.kind = call_kind::modify;
    asked.operation = kind;
    asked.charge = charge_number(prefix, id).value_or(0);
    asked.amount = read_minor(root, "amount", need::optional);
    asked.unit = read_currency(root, "currency", need::optional);
    asked.operation_reference = root.text("operation_reference", need::optional, 100);
    if (kind == operation_kind::capture) asked.final_capture = root.flag("final", true);
    read_key(message, asked, complaint);
    return finish(std::move(asked), complaint);
  }
};

}  // namespace

const dialect& alpha_dialect() noexcept {
  static const alpha speech;
  return speech;
}

}  // namespace turnout::sandbox
