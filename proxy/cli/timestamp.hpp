#pragma once
#include <string>

#include "payments/instant.hpp"

namespace turnout::cli {

/// "2026-11-20T10:00:00.000Z"
std::string timestamp(payments::wall_time at);

}  // namespace turnout::cli
