#pragma once
// The `tls` of a listener and of a connector: certificates and keys, read from
// the files that they name and tried at once, so that `turnout check`, a start
// and a reload find the same mistakes.
#include <memory>
#include <string>

#include "connectors/gateway_tls.hpp"
#include "net/tls.hpp"
#include "settings/reader.hpp"

namespace turnout::server {

/// `tls` is the mapping of `listen` or `admin`, `file` names where it stands.
/// Null when `tls` is absent, or has errors (reported). Warns of a certificate
/// that has ended or ends soon. `open_files` false: looks at the keys only.
std::shared_ptr<const net::server_tls_context> read_listener_tls(const turnout::settings::value& tls,
                                                                 const std::string& file, bool open_files);

/// The same for the wire.
net::client_tls to_wire(const connectors::gateway_tls& from);

/// `tls` is the mapping in a connector's file that `loaded` was read from.
void check_gateway_tls(const turnout::settings::value& tls, const std::string& file,
                       const connectors::gateway_tls& loaded);

}  // namespace turnout::server
