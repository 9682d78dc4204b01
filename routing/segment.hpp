#pragma once
// The parts of traffic that experience is kept for. A payment belongs to
// several at once: its method, brand, currency, issuer's country, amount band
// (within its currency), issuer (the BIN), merchant, and the issuer's cards of
// one brand. What is not known of a payment is no segment.
#include <array>
#include <cstdint>

#include "routing/router.hpp"

namespace turnout::routing {

enum class feature : std::uint8_t { method, brand, currency, country, amount, issuer, merchant, issuer_brand };
inline constexpr std::size_t feature_count = 8;

/// One 64-bit key per feature, in the order above; 0: not known.
using segment_keys = std::array<std::uint64_t, feature_count>;
segment_keys keys_of(const request& payment) noexcept;

/// A well-mixed 64-bit hash of two; never 0.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept;

}  // namespace turnout::routing
