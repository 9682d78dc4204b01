#pragma once
// What the API reads back of payments. Each worker has its own; calls are made
// on the worker's thread and return at once.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"
#include "proxy/core/payment_filter.hpp"

namespace turnout::api {

class reader {
 public:
  virtual ~reader() = default;
  /// With its attempts, if it is this merchant's and mode's.
  virtual std::optional<payments::payment> find_own(std::string_view merchant, bool livemode, std::string_view id) = 0;
  virtual core::payment_page list(const core::payment_filter& wanted) = 0;
  /// Explanations of the routing decisions, each one JSON text, oldest first, without the
  /// first `skip` of them and at most `count`. Of any merchant's payment: see find_own().
  virtual std::vector<std::string> decisions_of(std::string_view id, std::size_t skip, std::size_t count) = 0;
  /// In the same way.
  virtual std::vector<payments::payment_event> events_of(std::string_view id, std::size_t skip, std::size_t count) = 0;
};

}  // namespace turnout::api
