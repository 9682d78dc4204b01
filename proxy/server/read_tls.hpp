#pragma once
// The `tls` of a listener and of a connector: certificates and keys, read from
// the files that they name and tried at once, so that `turnout check`, a start
// and a reload find the same mistakes.
#include <memory>
#include <string>

#include "net/tls.hpp"
#include "settings/reader.hpp"

namespace turnout::server {

/// `tls` is the mapping of `listen` or `admin`, `file` names where it stands.
/// Null when `tls` is absent, or has errors (reported). Warns of a certificate
/// that has ended or ends soon. `open_files` false: looks at the keys only.
std::shared_ptr<const net::server_tls_context> read_listener_tls(const turnout::settings::value& tls,
                                                                 const std::string& file, bool open_files);

}  // namespace turnout::server
