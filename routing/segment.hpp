#pragma once
// The part of traffic that a score is kept for. A payment belongs to several
// segments at once, from coarse to fine: method, brand, currency, country,
// amount band (within its currency), issuer (the BIN's six digits). What is
// not known of a payment is no segment.
#include <array>
#include <cstdint>
#include <string>

#include "routing/router.hpp"

namespace turnout::routing {

inline constexpr std::size_t feature_count = 6;

/// One 64-bit key per feature in the order above; 0: not known.
using segment_keys = std::array<std::uint64_t, feature_count>;
segment_keys keys_of(const request& payment) noexcept;

/// Readable: "card/visa/424242/EUR/10-100", and "/DE" behind it where the country is known.
std::string describe_segment(const request& payment);

/// A well-mixed 64-bit hash of two; never 0.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept;

}  // namespace turnout::routing
