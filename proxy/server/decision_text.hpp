#pragma once
// A routing decision as the journal keeps it and GET …/decisions shows it.
#include <string>

#include "proxy/core/engine.hpp"
#include "routing/router.hpp"

namespace turnout::server {

/// A core::decision_writer: one JSON object.
std::string decision_text(const routing::decision& made, const core::decision_context& on);

}  // namespace turnout::server
