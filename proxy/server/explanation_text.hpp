#pragma once
// An explanation as POST /admin/explain answers it; docs/operations.md has its fields.
#include <string>

#include "proxy/core/configuration.hpp"
#include "proxy/core/explanation.hpp"
#include "proxy/server/explaining.hpp"

namespace turnout::server {

/// One JSON object.
std::string explanation_text(const core::explanation& of, const core::configuration& config,
                             const explanation_source& source, payments::wall_time at);

}  // namespace turnout::server
