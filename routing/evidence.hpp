#pragma once
// What a result says about the gateway, and what it does not.
//
//   result                                            technical   approval
//   approved                                          no          yes
//   decline for a technical reason                    failure     —
//   decline that may depend on the gateway            no          no
//     (do_not_honor and its like, the gateway's own risk or
//     data check, an issuer it cannot reach, a soft one without a reason)
//   decline about the card or the shopper             no          —
//     (insufficient funds, stolen, wrong CVC …)
//   rejected                                          —           no
//   not_sent · unknown                                failure     —
//   not_sent by a limit of ours (the pool was full,   —           —
//     the deadline had passed)
//   pending · requires_action                         no          —
//
// An issuer that cannot be reached is one segment's trouble, not the gateway's:
// as a decline it is seen by the segment's outage filter. `rejected` may be the
// fault of what one merchant sent: it must not look like an outage for all
// others. As "not approved" it still takes the traffic from a connector whose
// credentials are wrong. `pending` and `requires_action` are neither an approval
// nor a decline, yet the gateway did answer.
#include <optional>

#include "payments/send_result.hpp"

namespace turnout::routing {

/// Whose word a decline is.
enum class decline_kind : std::uint8_t {
  technical,  ///< nobody judged the payment
  gateway,    ///< this gateway's own opinion; another has its own
  vague,      ///< the issuer's, in words that differ by acquirer; or no reason given
  specific,   ///< the issuer's or the card's, the same everywhere
};
decline_kind kind_of(payments::decline_reason reason) noexcept;

struct evidence {
  std::optional<bool> technical_failure;  ///< nullopt: says nothing about health
  std::optional<bool> approved;           ///< nullopt: says nothing about approvals
  bool latency_counts = false;            ///< a fast refusal or a time-out is not the time an answer takes
};

evidence read_evidence(const payments::send_result& result) noexcept;

}  // namespace turnout::routing
