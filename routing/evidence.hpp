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
//   not_sent · rejected · unknown                     failure     —
//   not_sent by a limit of ours (the pool was full,   —           —
//     the deadline had passed)
//   pending · requires_action                         no          —
//
// `pending` and `requires_action` are neither an approval nor a decline, yet
// the gateway did answer.
#include <optional>

#include "payments/send_result.hpp"

namespace turnout::routing {

struct evidence {
  bool about_gateway = true;  ///< false: nothing is to be learned, the rest is meaningless
  bool technical_failure = false;
  std::optional<bool> approved;  ///< nullopt: says nothing about approvals
  bool latency_counts = false;   ///< a fast refusal to connect must not look like speed
};

evidence read_evidence(const payments::send_result& result) noexcept;

}  // namespace turnout::routing
