// delta: forms in, JSON out, the key in the query, and a session: answers about
// a charge give a cookie and a ticket, and whoever captures, refunds or voids
// it must bring both back.
#include <algorithm>
#include <array>
#include <charconv>

#include "sandbox/answer_writing.hpp"
#include "sandbox/form_body.hpp"
#include "sandbox/reason_words.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace {

using payments::decline_reason;
using need = member_reader::need;

constexpr std::string_view prefix = charge_prefixes[3];
constexpr std::string_view session_cookie = "DELTASESSION";

constexpr std::array decline_words{
    reason_word{decline_reason::insufficient_funds, "no_funds"},
    reason_word{decline_reason::do_not_honor, "refused_by_bank"},
    reason_word{decline_reason::stolen_card, "card_stolen"},
    reason_word{decline_reason::lost_card, "card_lost"},
    reason_word{decline_reason::pickup_card, "card_retained"},
    reason_word{decline_reason::expired_card, "card_expired"},
    reason_word{decline_reason::limit_exceeded, "over_limit"},
    reason_word{decline_reason::incorrect_cvc, "wrong_cvc"},
    reason_word{decline_reason::fraud_suspected, "fraud"},
    reason_word{decline_reason::issuer_unavailable, "bank_unreachable"},
    reason_word{decline_reason::processing_error, "network_error"},
    reason_word{decline_reason::try_again_later, "try_later"},
    reason_word{decline_reason::authentication_required, "needs_authentication"},
};

struct spoken {
  unsigned status;
  std::string_view code;
};

spoken say(refusal code) {
  switch (code) {
    case refusal::unauthorised: return {401, "unauthorized"};
    case refusal::none:
    case refusal::invalid: return {400, "invalid"};
    case refusal::unknown_path: return {404, "unknown_path"};
    case refusal::method_not_allowed: return {405, "method_not_allowed"};
    case refusal::key_mismatch: return {409, "token_reused"};
    case refusal::rate_limited: return {429, "slow_down"};
    case refusal::not_processed: return {503, "not_processed"};
    case refusal::internal: return {500, "internal"};
    case refusal::reference_reversed: return {409, "reference_closed"};
    case refusal::key_in_flight:
    case refusal::duplicate_reference: return {409, "duplicate_reference"};
    case refusal::not_found: return {404, "no_such_reference"};
    case refusal::unknown_charge: return {404, "no_such_charge"};
    case refusal::not_approved:
    case refusal::already_captured:
    case refusal::not_captured:
    case refusal::already_voided: return {409, "wrong_state"};
    case refusal::amount_too_large: return {400, "amount_too_large"};
    case refusal::currency_mismatch: return {400, "currency_mismatch"};
  }
  return {500, "internal"};
}

/// What belongs to a charge, made from its number: nothing has to be remembered.
std::string token(std::string_view kind, std::uint64_t charge) {
  constexpr char digits[] = "0123456789abcdef";
  std::uint64_t bits = mix(mix(0x64656c7461ULL, kind), charge);
  std::string out(kind);
  out += '_';
  for (int i = 0; i < 16; ++i, bits <<= 4) out += digits[bits >> 60];
  return out;
}

std::string_view state_word(const charge_view& charge) {
  if (charge.reversed) return "undone";
  if (charge.declined) return "declined";
  return charge.captured ? "captured" : "authorized";
}

/// {"charge":{…, left open for more members.
std::string charge_object(const charge_view& charge, std::string_view state) {
  std::string out = "{\"charge\":{\"id\":";
  out.reserve(256);
  append_id(out, prefix, charge.number);
  out += ",\"state\":\"";
  out += state;
  out += "\",\"merchant_reference\":";
  append_quoted(out, charge.reference);
  if (charge.number != 0) {
    out += ",\"ticket\":\"";
    out += token("tk", charge.number);
    out += '"';
  }
  if (charge.amount) {
    out += ",\"amount\":";
    append_number(out, charge.amount->minor);
    out += ",\"currency\":\"";
    out += charge.amount->unit.code();
    out += '"';
  }
  if (charge.declined) {
    out += ",\"decline\":\"";
    out += word_for(charge.reason, decline_words, "refused");
    out += '"';
  }
  return out;
}

/// With the session of the charge that the answer is about.
net::response session_answer(std::uint64_t charge, std::string body) {
  net::response answer = json_answer(200, std::move(body));
  if (charge == 0) return answer;
  answer.fields.emplace_back("Set-Cookie", "locale=en; Path=/");
  answer.fields.emplace_back(
      "Set-Cookie", std::string(session_cookie) + '=' + token("ds", charge) + "; Path=/; HttpOnly; SameSite=Lax");
  return answer;
}

/// The cookie's value; empty when there is none of that name.
std::string_view cookie_of(const net::headers& fields) {
  std::string_view rest = net::find_header(fields, "cookie");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == session_cookie && equals != std::string_view::npos) return pair.substr(equals + 1);
  }
  return {};
}

/// Digits of a form, as minor units.
std::optional<std::int64_t> read_digits(member_reader& from, std::string_view name, need how) {
  const std::string_view text = from.text(name, how, 20);
  if (text.empty()) return std::nullopt;
  std::int64_t minor = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), minor);
  if (failed == std::errc() && end == text.data() + text.size() && minor > 0 && minor <= payments::max_amount_minor)
    return minor;
  from.complain(name, "must be a positive whole number of minor units");
  return std::nullopt;
}

class delta final : public dialect {
 public:
  bool has_credential(const net::request& message) const override {
    return !query_value(split(message.target).query, "api_key").value_or("").empty();
  }

  reading read(const net::request& message, std::string_view target, const payments::instant& now) const override {
    constexpr std::string_view charges = "/v2/charges";
    const auto [path, query] = split(target);
    const bool post = message.method == "POST";
    if (path == charges && message.method == "GET") return read_inquiry(query);
    const bool modification_path = path.starts_with("/v2/charges/");
    if (path != charges && path != "/v2/reversals" && !modification_path)
      return rejection{refusal::unknown_path, {}, {}};
    if (!post) return rejection{refusal::method_not_allowed, {}, {}};
    const form_body body(message.body);
    const bool form = net::find_header(message.fields, "content-type").starts_with("application/x-www-form-urlencoded");
    if (!body.object() || (!form && !message.body.empty()))
      return rejection{refusal::invalid, "the body must be a form (application/x-www-form-urlencoded)", {}};
    std::optional<rejection> complaint;
    member_reader root(body.object(), {}, complaint);
    reading out = path == charges           ? read_charge(message, root, now)
                  : path == "/v2/reversals" ? read_reversal(root)
                                            : read_modification(message, root, path.substr(charges.size() + 1));
    if (complaint) return std::move(*complaint);
    return out;
  }

  net::response charged(const charge_view& charge) const override {
    return session_answer(charge.number, charge_object(charge, state_word(charge)) + "}}");
  }

  net::response inquired(const charge_view& charge) const override {
    std::string body = charge_object(charge, state_word(charge));
    if (!charge.declined) {
      body += ",\"captured_amount\":";
      append_number(body, charge.captured_total);
      body += ",\"refunded_amount\":";
      append_number(body, charge.refunded_total);
      body += charge.voided ? ",\"voided\":true" : ",\"voided\":false";
    }
    return session_answer(charge.number, body + "}}");
  }

  net::response reversed(std::string_view reference, std::uint64_t charge) const override {
    std::string body = "{\"reversal\":{\"state\":\"done\",\"merchant_reference\":";
    append_quoted(body, reference);
    body += ",\"charge\":";
    append_id(body, prefix, charge);
    return json_answer(200, body + "}}");
  }

  net::response modified(operation_kind kind, const charge_view& charge) const override {
    const std::string_view state = kind == operation_kind::capture  ? "captured"
                                   : kind == operation_kind::refund ? "refunded"
                                                                    : "voided";
    std::string body = charge_object(charge, state) + '}';
    append_member(body, "operation_reference", charge.operation_reference);
    return session_answer(charge.number, body + '}');
  }

  net::response refused(const rejection& why) const override {
    const auto [status, code] = say(why.code);
    std::string body = "{\"failure\":{\"code\":\"";
    body += code;
    body += "\",\"text\":";
    append_quoted(body, why.message.empty() ? describe(why.code) : std::string_view(why.message));
    if (!why.field.empty()) {
      body += ",\"field\":";
      append_quoted(body, why.field);
    }
    body += '}';
    append_member(body, "merchant_reference", why.reference);
    return json_answer(status, body + '}');
  }

 private:
  static void read_key(const net::request& message, member_reader& root, call& into) {
    into.key = net::find_header(message.fields, "idempotency-token");
    if (into.key.size() > 255) root.complain("Idempotency-Token", "is longer than 255 characters");
  }

  static reading read_inquiry(std::string_view query) {
    call asked;
    asked.kind = call_kind::inquire;
    asked.reference = query_value(query, "merchant_reference").value_or("");
    if (asked.reference.empty())
      return rejection{refusal::invalid, "merchant_reference is required", "merchant_reference"};
    return asked;
  }

  static reading read_charge(const net::request& message, member_reader& root, const payments::instant& now) {
    call asked;
    asked.amount = read_digits(root, "amount", need::required);
    asked.unit = read_currency(root, "currency", need::required);
    asked.reference = root.text("merchant_reference", need::required, 100);
    const std::string_view capture = root.text("capture", need::required);
    if (capture == "false") asked.operation = operation_kind::authorize;
    if (capture != "true" && capture != "false") root.complain("capture", "must be true or false");
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
    read_key(message, root, asked);
    return asked;
  }

  static reading read_reversal(member_reader& root) {
    call asked;
    asked.kind = call_kind::reverse;
    asked.reference = root.text("merchant_reference", need::required, 100);
    return asked;
  }

  /// The session proves that the caller had the charge's answer; what the id
  /// alone names is not touched.
  static reading read_modification(const net::request& message, member_reader& root, std::string_view rest) {
    const auto slash = rest.find('/');
    const auto kind = slash == std::string_view::npos ? std::nullopt : modification(rest.substr(slash + 1));
    if (!kind) return rejection{refusal::unknown_path, {}, {}};
    call asked;
    asked.kind = call_kind::modify;
    asked.operation = *kind;
    asked.charge = charge_number(prefix, rest.substr(0, slash)).value_or(0);
    asked.operation_reference = root.text("operation_reference", need::optional, 100);
    asked.amount = read_digits(root, "amount", need::optional);
    if (asked.charge != 0) {
      if (cookie_of(message.fields) != token("ds", asked.charge))
        return rejection{refusal::unauthorised, "the session cookie of the charge is required", {}};
      if (root.text("ticket", need::required) != token("tk", asked.charge))
        root.complain("ticket", "is not the ticket of the charge");
    }
    read_key(message, root, asked);
    return asked;
  }
};

}  // namespace

const dialect& delta_dialect() noexcept {
  static const delta speech;
  return speech;
}

}  // namespace turnout::sandbox
