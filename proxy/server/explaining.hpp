#pragma once
// `turnout explain`: what would become of a payment, as JSON. A running proxy
// answers for itself; without one the files speak, with what the last one saved
// of its routing.
#include <optional>
#include <string>
#include <variant>

#include "payments/instant.hpp"
#include "proxy/api/explain_request.hpp"
#include "proxy/core/configuration.hpp"
#include "proxy/server/settings_file.hpp"
#include "routing/router.hpp"

namespace turnout::server {

/// What the explanation rests on.
struct explanation_source {
  std::string_view state;              ///< running: the proxy's own; saved: of its last run; none: nothing was learned
  std::optional<double> retry_budget;  ///< failovers that are left; only the running proxy knows
};

/// `copy` is asked, and changes.
std::string explain_now(const core::configuration& config, const api::explain_request& asked, routing::router& copy,
                        const explanation_source& source, payments::instant now);

/// From the files; `problems` of `files` are the caller's to show. `note` becomes a remark on what was learned.
/// Precondition: files.configuration is set.
std::variant<std::string, api::problem> explain_from_files(const loaded_files& files, std::string_view query,
                                                           std::string_view body, std::string& note,
                                                           payments::instant now);

/// Whom the connectors list: sorted, each once.
std::vector<std::string> merchants_of(const core::configuration& config);

}  // namespace turnout::server
