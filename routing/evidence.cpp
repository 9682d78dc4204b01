#include "routing/evidence.hpp"

namespace turnout::routing {
namespace {

using payments::decline_reason;
using payments::outcome;

evidence read_decline(const payments::send_result& result) noexcept {
  evidence says;
  says.technical_failure = false;
  says.latency_counts = true;
  const bool hard_without_reason = result.reason == decline_reason::none && result.result == outcome::hard_decline;
  switch (kind_of(result.reason)) {
    case decline_kind::technical:
      says.technical_failure = true;
      says.latency_counts = false;
      break;
    case decline_kind::gateway: says.approved = false; break;
    case decline_kind::vague:
      if (!hard_without_reason) says.approved = false;
      break;
    case decline_kind::specific: break;
  }
  return says;
}

evidence read_not_sent(const payments::send_result& result) noexcept {
  evidence says;
  const bool own_limit = result.code == "too_many_connections" || result.code == "deadline_passed";
  if (!own_limit) says.technical_failure = true;
  return says;
}

}  // namespace

decline_kind kind_of(decline_reason reason) noexcept {
  switch (reason) {
    case decline_reason::none:
    case decline_reason::do_not_honor:
    case decline_reason::try_again_later:
    case decline_reason::declined:
    case decline_reason::issuer_unavailable: return decline_kind::vague;
    case decline_reason::gateway_risk:
    case decline_reason::invalid_amount:
    case decline_reason::invalid_data:
    case decline_reason::currency_not_supported:
    case decline_reason::card_not_supported: return decline_kind::gateway;
    default: break;
  }
  return payments::describe(reason).blames_gateway ? decline_kind::technical : decline_kind::specific;
}

evidence read_evidence(const payments::send_result& result) noexcept {
  evidence says;
  says.technical_failure = false;
  says.latency_counts = true;
  switch (result.result) {
    case outcome::soft_decline:
    case outcome::hard_decline: return read_decline(result);
    case outcome::not_sent: return read_not_sent(result);
    case outcome::approved: says.approved = true; break;
    case outcome::pending:
    case outcome::requires_action: break;
    case outcome::unknown:
      says.technical_failure = true;
      says.latency_counts = false;
      break;
    case outcome::rejected:
      says.technical_failure.reset();
      says.approved = false;
      says.latency_counts = false;
      break;
  }
  return says;
}

}  // namespace turnout::routing
