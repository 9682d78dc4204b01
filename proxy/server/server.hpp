#pragma once
// `turnout serve`: from files to a running proxy and back to a clean end.
#include <string>

namespace turnout::server {

/// Runs until SIGTERM or SIGINT asked it to end and payments in flight were
/// finished; a second signal ends it at once. Returns the exit code: 0, or 1
/// after the reason was said on stderr.
int serve(const std::string& conf);

}  // namespace turnout::server
