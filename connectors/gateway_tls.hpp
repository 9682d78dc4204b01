#pragma once
// What a definition says about TLS to its gateway, as plain data. Without it:
// the system's authorities, TLS 1.2 or later, no certificate of our own.
#include <string>
#include <vector>

namespace turnout::connectors {

struct gateway_tls {
  std::string ca;                 ///< PEM text: trusted instead of the system's authorities; empty: those
  std::vector<std::string> pins;  ///< "sha256/BASE64" of the gateway's public key, any of them; empty: any key
  std::string certificate, key;   ///< PEM texts, ours, for gateways that ask; empty: none
  bool only_1_3 = false;          ///< minimum_version
  bool operator==(const gateway_tls&) const = default;
};

}  // namespace turnout::connectors
