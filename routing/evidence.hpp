#pragma once
// What a result says about the gateway, and what it does not.
//
//   result                                            technical   approval
//   approved                                          no          yes
//   decline, technical class                          failure     —
//   decline that may depend on the gateway            no          no
//     (do_not_honor and its like, the gateway's own risk or
//     data check, a soft one without a reason)
//   decline about the card or the shopper             no          —
//     (insufficient funds, stolen, wrong CVC …)
//   rejected                                          —           no
//   not_sent · unknown                                failure     —
//   not_sent by a limit of ours (the pool was full,   —           —
//     the deadline had passed)
//   pending · requires_action                         no          —
//
// `rejected` may be the fault of what one merchant sent: it must not open the
// breaker for all others. As "not approved" it still takes the traffic from a
// connector whose credentials are wrong.
// `pending` and `requires_action` are neither an approval nor a decline, yet
// the gateway did answer.
#include <optional>

#include "payments/send_result.hpp"

namespace turnout::routing {

struct evidence {
  std::optional<bool> technical_failure;  ///< nullopt: says nothing about health
  std::optional<bool> approved;           ///< nullopt: says nothing about approvals
  bool latency_counts = false;            ///< a fast refusal to connect must not look like speed
};

evidence read_evidence(const payments::send_result& result) noexcept;

}  // namespace turnout::routing
