#pragma once
// Which payments a list shows: what the API asks of the journal.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "payments/instant.hpp"
#include "payments/payment.hpp"

namespace turnout::core {

/// All that is set must hold. Newest first: by descending sequence, which the
/// journal gives each payment when it is first written.
struct payment_filter {
  std::string merchant;
  bool livemode = false;
  std::vector<payments::payment_status> statuses;                   ///< any of them; empty: all
  std::string reference, customer, connector;                       ///< empty: any
  std::string currency;                                             ///< empty: any
  std::optional<std::int64_t> amount_min, amount_max;               ///< minor units, both inclusive
  std::optional<payments::wall_time> created_from, created_before;  ///< inclusive, exclusive
  std::int64_t before = std::numeric_limits<std::int64_t>::max();   ///< only sequences below this
  std::size_t limit = 20;                                           ///< > 0
};

struct payment_page {
  std::vector<payments::payment> payments;
  /// Where the next page goes on (payment_filter::before), or nullopt at the end.
  /// The work of one call is bounded: a page may be short, even empty, and not the last.
  std::optional<std::int64_t> next;
};

}  // namespace turnout::core
