#pragma once
// What the API reads back of payments. Each worker has its own; calls are made
// on the worker's thread and return at once.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"

namespace turnout::api {

class reader {
 public:
  virtual ~reader() = default;
  /// With its attempts. Of any merchant and mode: the API checks whose it is.
  virtual std::optional<payments::payment> find_payment(std::string_view id) = 0;
  /// Explanations of the routing decisions, each one JSON text, oldest first.
  virtual std::vector<std::string> decisions_of(std::string_view id) = 0;
  /// Oldest first.
  virtual std::vector<payments::payment_event> events_of(std::string_view id) = 0;
};

}  // namespace turnout::api
