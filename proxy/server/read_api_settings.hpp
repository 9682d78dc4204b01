#pragma once
// The parts of turnout.yaml about merchants' requests: rate_limits, merchants,
// card_testing and cors.
#include <string_view>
#include <vector>

#include "proxy/api/api_settings.hpp"
#include "settings/reader.hpp"

namespace turnout::server {

/// `top` has the keys `rate_limits`, `merchants`, `card_testing` and `cors`, each optional.
void read_api_settings(const turnout::settings::fields& top, api::api_settings& into);

/// Warns of a merchant whose money no connector takes: most likely a typing
/// mistake, and then its settings would do nothing.
void warn_of_strangers(const turnout::settings::value& merchants, const std::vector<std::string_view>& known);

}  // namespace turnout::server
