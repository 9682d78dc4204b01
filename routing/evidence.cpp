#include "routing/evidence.hpp"

namespace turnout::routing {
namespace {

using payments::decline_reason;
using payments::outcome;

// Refusals that another gateway may well not get: the issuer's vague ones
// (it sees another acquirer's message), and what is this gateway's own opinion.
bool depends_on_gateway(decline_reason reason) noexcept {
  switch (reason) {
    case decline_reason::do_not_honor:
    case decline_reason::try_again_later:
    case decline_reason::declined:
    case decline_reason::gateway_risk:
    case decline_reason::invalid_amount:
    case decline_reason::invalid_data:
    case decline_reason::currency_not_supported:
    case decline_reason::card_not_supported: return true;
    default: return payments::describe(reason).blames_gateway;
  }
}

evidence read_decline(const payments::send_result& result) noexcept {
  evidence says;
  says.technical_failure = false;
  says.latency_counts = true;
  if (result.reason == decline_reason::none) {
    if (result.result == outcome::soft_decline) says.approved = false;
  } else if (payments::describe(result.reason).group == payments::decline_class::technical) {
    says.technical_failure = true;
  } else if (depends_on_gateway(result.reason)) {
    says.approved = false;
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
    case outcome::unknown: says.technical_failure = true; break;
    case outcome::rejected:
      says.technical_failure.reset();
      says.approved = false;
      says.latency_counts = false;
      break;
  }
  return says;
}

}  // namespace turnout::routing
