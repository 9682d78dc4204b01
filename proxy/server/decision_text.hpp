#pragma once
// A routing decision as the journal keeps it and GET …/decisions shows it.
#include <string>
#include <string_view>

#include "payments/instant.hpp"
#include "routing/router.hpp"

namespace turnout::server {

/// A core::decision_writer: one JSON object.
std::string decision_text(const routing::decision& made, std::string_view policy_version, payments::wall_time at);

}  // namespace turnout::server
