#pragma once
// The block `tls` of a definition.
#include <memory>

#include "connectors/gateway_tls.hpp"
#include "settings/reader.hpp"

namespace turnout::connectors {

/// Null when absent or wrong (reported). The files that it names are read
/// through `file`'s source of secrets; whether they are good PEM is for who uses them.
std::shared_ptr<const gateway_tls> load_tls(const settings::value& in, const settings::document& file);

}  // namespace turnout::connectors
