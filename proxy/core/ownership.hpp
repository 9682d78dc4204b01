#pragma once
// One owner per payment: which engine works on a payment is a function of its
// id, so that no two ever do, and no table of owners has to be kept or shared.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace turnout::core {

/// One engine among `owners` > 0; index < owners.
struct ownership {
  std::size_t index = 0, owners = 1;

  /// The index of the engine that owns this payment (FNV-1a, 64 bits).
  static std::size_t of(std::string_view payment_id, std::size_t owners) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char each : payment_id) hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    return static_cast<std::size_t>((hash >> 32) % owners);
  }
  bool has(std::string_view payment_id) const noexcept { return of(payment_id, owners) == index; }
};

}  // namespace turnout::core
