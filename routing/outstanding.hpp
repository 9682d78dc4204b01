#pragma once
// Decisions whose result has not come yet. A ring by decision id: a result
// that comes twice, or after its place was taken or expired, finds nothing and
// therefore changes nothing. Bounded: 65,536 places (2.5 MiB).
#include <cstdint>
#include <vector>

#include "payments/instant.hpp"
#include "routing/approval_model.hpp"

namespace turnout::routing {

using payments::steady_time;

struct outstanding_decision {
  std::uint64_t id = 0;      ///< 0: the place is free
  steady_time since{};       ///< chosen at; sent at, once sent
  std::uint64_t flight = 0;  ///< its number in the connector's flight_evidence; 0: not followed
  std::uint16_t connector = 0;
  bool sent = false;
  aftermath before = aftermath::none;  ///< what happened to the payment before
};

class outstanding {
 public:
  outstanding();
  /// Takes the next id's place. Returns what was there, if that never got its result.
  outstanding_decision add(outstanding_decision added);
  /// nullptr when it was observed, forgotten or never made here.
  outstanding_decision* find(std::uint64_t id) noexcept;
  void remove(std::uint64_t id) noexcept;
  /// Takes out one that is older than `limit`; id 0 when none is.
  outstanding_decision take_expired(steady_time now, std::chrono::seconds limit) noexcept;
  /// Forgets all that went to one connector.
  void forget(std::uint16_t connector) noexcept;
  static constexpr std::size_t capacity = 65536;

 private:
  std::vector<outstanding_decision> ring_;
  std::uint64_t oldest_ = 1, newest_ = 0;  ///< ids that may be in the ring
};

}  // namespace turnout::routing
