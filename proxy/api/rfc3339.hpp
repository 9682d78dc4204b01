#pragma once
#include <optional>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::api {

/// "2026-11-20T10:00:00Z", "2026-11-20t11:00:00.25+01:00". A space in place of the
/// plus sign is taken for it: that is what a query makes of a plus that was not
/// written as %2B. Digits beyond the nanosecond are dropped, a leap second is the
/// second after it, years beyond 1970 to 2200 are taken for those. nullopt when it is none.
std::optional<payments::wall_time> parse_rfc3339(std::string_view text);

}  // namespace turnout::api
