#pragma once
// What a definition promises about itself: capabilities, fees, and above all
// how the truth about an unknown attempt can be found.
#include "connectors/exponents.hpp"
#include "payments/connector_profile.hpp"
#include "settings/reader.hpp"

namespace turnout::connectors {

void load_merchants(const settings::value& in, payments::connector_profile& into);
void load_capabilities(const settings::value& in, payments::connector_profile& into);
void load_fees(const settings::value& in, payments::connector_profile& into);
void load_timeouts(const settings::value& in, payments::connector_profile& into);
void load_exponents(const settings::value& in, exponents& into);
void load_refunds(const settings::value& in, payments::connector_profile& into);
void load_authorization_valid(const settings::value& in, payments::connector_profile& into);
void load_resolve(const settings::value& in, payments::connector_profile& into);
/// The promises of `resolve` against the rest of the file. `resolve` is the
/// block, or the whole file when there is none; needs idempotency and operations.
void check_promises(const settings::value& resolve, const settings::value& whole,
                    const payments::connector_profile& profile);

/// A code of the standard; an error with a suggestion otherwise.
std::optional<payments::currency> read_currency(const settings::value& where, std::string_view code);

}  // namespace turnout::connectors
