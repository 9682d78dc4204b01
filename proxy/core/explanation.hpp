#pragma once
// What would become of a payment now, and why: the policies that were asked, the
// router's choice with its reasons, and who would be tried after it. Asks the
// same questions as a payment does (routing_input.hpp), but a copy of the router:
// nothing is learned, counted or written.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/card.hpp"
#include "payments/decline_reason.hpp"
#include "payments/payment.hpp"
#include "policies/policy.hpp"
#include "proxy/core/configuration.hpp"
#include "proxy/core/engine.hpp"
#include "routing/router.hpp"

namespace turnout::core {

/// A policy that was asked whether the payment is for it.
struct policy_trial {
  std::string_view name;
  policies::match_result result = policies::match_result::no;
  std::vector<policies::unmet_condition> unmet;  ///< empty when it matches
};

/// What follows when the first attempt ends so, and every later one too.
struct continuation {
  std::string_view ended;              ///< an outcome, or a decline's reason
  std::vector<std::string_view> then;  ///< who is tried next, in this order
  /// Why it ends after those: final_decline | never_elsewhere | not_in_policy | until_proven_not_charged |
  /// max_attempts | no_gateway_left
  std::string_view stops;
};

/// Views into the configuration, which must outlive it.
struct explanation {
  std::vector<policy_trial> policies;        ///< in their order, up to the one that decides
  const policies::policy* policy = nullptr;  ///< null: the payment would be refused
  /// answered, or the reason of a refusal: no_policy, rate_unavailable, no_candidate.
  create_status status = create_status::answered;
  payments::payment record;  ///< what it is about; no card number
  routing::decision made;    ///< first attempt. With `why` of the best, not of a draw
  std::string_view first;    ///< the connector most likely tried first; empty when there is none
  std::vector<continuation> after;
};

/// `copy` is the caller's to throw away: it is asked, and changes.
explanation explain(const configuration& config, const payments::payment_request& wish, const payments::card& card,
                    routing::router& copy, instant now);

}  // namespace turnout::core
