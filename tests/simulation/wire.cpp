#include "tests/simulation/wire.hpp"

#include <array>
#include <charconv>

namespace turnout::simulation {

namespace {

using payments::outcome;

template <std::size_t Count>
std::array<std::string_view, Count> words(std::string_view text) {
  std::array<std::string_view, Count> parts;
  for (std::size_t i = 0; i < Count; ++i) {
    const std::size_t end = text.find(';');
    parts[i] = text.substr(0, end);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void append(std::string& line, std::string_view word) { line.append(word).push_back(';'); }

void append(std::string& line, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  append(line, std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void read_decline(payments::send_result& result, std::string_view reason, bool hard) {
  result.result = hard ? outcome::hard_decline : outcome::soft_decline;
  if (const auto known = payments::parse_decline_reason(reason)) {
    result.reason = *known;
    result.result = describe(*known).outcome;
  }
}

}  // namespace

connectors::wire_request simulated_connector::build_request(payments::operation wanted,
                                                            const connectors::request_context& context) const {
  connectors::wire_request made;
  made.method = to_string(wanted);
  const payments::modification* about = context.modification;
  made.target.reserve(104);
  append(made.target, context.attempt.id);
  append(made.target, about != nullptr ? about->id : context.attempt.id);
  append(made.target, about != nullptr ? about->amount : context.attempt.amount.minor);
  append(made.target, about == nullptr || about->final_capture ? 1 : 0);
  append(made.target, context.card != nullptr ? context.card->reveal_number() : std::string_view());
  if (about != nullptr) append(made.target, context.attempt.gateway_reference);
  return made;
}

asked read_request(const connectors::wire_request& request) {
  const auto part = words<6>(request.target);
  const bool names_charge = part[5].starts_with("ch_");
  return {request.method,
          std::string(part[0]),
          std::string(part[1]),
          number(part[2]),
          part[3] == "1",
          std::string(part[4]),
          names_charge ? std::optional(static_cast<std::size_t>(number(part[5].substr(3)))) : std::nullopt};
}

connectors::wire_reply write_reply(const reply& said) {
  connectors::wire_reply made;
  made.status = said.word == "unclear" ? 500 : 200;
  append(made.body, said.word);
  append(made.body, said.amount);
  append(made.body, said.captured ? 1 : 0);
  append(made.body, said.captured_total);
  append(made.body, said.refunded_total);
  append(made.body, said.voided ? 1 : 0);
  append(made.body, to_string(said.reason));
  append(made.body, said.hard ? 1 : 0);
  append(made.body, said.url);
  append(made.body, said.comment);
  append(made.body, said.charge ? "ch_" + std::to_string(*said.charge) : std::string());
  return made;
}

std::string_view word_of(const connectors::wire_reply& answer) {
  return std::string_view(answer.body).substr(0, answer.body.find(';'));
}

payments::send_result simulated_connector::parse_response(payments::operation wanted,
                                                          const connectors::wire_reply& answer,
                                                          const payments::money&) const {
  payments::send_result result;
  const auto part = words<11>(answer.body);
  const std::string_view word = part[0];
  if (word == "approved") {
    result.result = outcome::approved;
    result.amount_minor = number(part[1]);
    if (wanted != payments::operation::reverse) result.captured = part[2] == "1";
  } else if (word == "pending") {
    result.result = outcome::pending;
  } else if (word == "action") {
    result.result = outcome::requires_action;
    result.action.url = part[8];
  } else if (word == "declined") {
    read_decline(result, part[6], part[7] == "1");
  } else if (word == "rejected") {
    result.result = outcome::rejected;
  } else if (word == "not_sent") {
    result.result = outcome::not_sent;
    result.code = "not_processed";
  } else if (word == "not_found") {
    result.not_found = true;
  } else {
    result.code = "no_rule_matched";
  }
  const bool about_charge = wanted == payments::operation::sale || wanted == payments::operation::authorize ||
                            wanted == payments::operation::inquire;
  if (about_charge) result.gateway_reference = part[10];
  if (!part[9].empty()) {
    result.gateway_code = part[9];
    result.kept.emplace_back("session", part[9]);
  }
  if (wanted == payments::operation::inquire && (word == "approved" || word == "found")) {
    result.captured_total = number(part[3]);
    result.refunded_total = number(part[4]);
    result.voided = part[5] == "1";
  }
  return result;
}

}  // namespace turnout::simulation
