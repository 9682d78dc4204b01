#pragma once
// The envelope of what the router has learned, so that it survives a restart:
//
//   "turnout-routing" · version · wall time · length · content · checksum
//
// The checksum (FNV-1a, 64 bits) covers everything before it. A snapshot that
// is damaged, of another version, or older than thirty days is refused with a
// reason: starting from nothing costs some hundred payments of exploration,
// starting from nonsense would cost more.
#include <string>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::routing {

/// Raised whenever the content's layout or meaning changes.
inline constexpr std::uint32_t snapshot_version = 1;

std::string seal(std::string_view content, payments::wall_time now);

struct opened_snapshot {
  std::string refused;       ///< why; empty when it may be used
  std::string_view content;  ///< part of what was opened
  double age_s = 0;          ///< never negative, whatever the clock did
};
opened_snapshot unseal(std::string_view bytes, payments::wall_time now);

}  // namespace turnout::routing
