#pragma once
// TLS 1.2 and 1.3 as this house speaks it: what a listener and a client need to
// know, as texts (who uses this room reads the files), and whether it is usable.
// Never compression, renegotiation or early data; TLS 1.2 only with ECDHE and
// an AEAD cipher.
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::net {

enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };

enum class client_certificates : std::uint8_t {
  none,      ///< not asked for
  optional,  ///< asked for; one that comes must be good
  required   ///< without a good one there is no connection
};

struct server_tls {
  std::string certificate;  ///< PEM: the server's own first, then the intermediate ones
  std::string key;          ///< PEM, without a passphrase
  std::string client_ca;    ///< PEM: who issues clients' certificates; needed unless `clients` is none
  client_certificates clients = client_certificates::none;
  tls_version minimum_version = tls_version::tls_1_2;
};

struct client_tls {
  std::string ca;                 ///< PEM: trusted instead of the system's store; empty: the system's
  std::vector<std::string> pins;  ///< "sha256/BASE64" of the peer's public key (SPKI); any of them; empty: any key
  std::string certificate, key;   ///< PEM: our own, for peers that ask; empty: none
  tls_version minimum_version = tls_version::tls_1_2;
  bool operator==(const client_tls&) const = default;
};

/// The text says what is wrong; `part` where.
class tls_error : public std::runtime_error {
 public:
  enum class part_of : std::uint8_t {
    certificate,
    key,
    pair,  ///< each is good, but not for the other
    ca,
    pin
  };
  tls_error(part_of where, const std::string& what) : std::runtime_error(what), part(where) {}
  const part_of part;
};

/// What a listener's connections share. Immutable: another certificate is another context.
class server_tls_context;

/// Throws tls_error.
std::shared_ptr<const server_tls_context> make_server_tls(const server_tls& from);
/// When the server's own certificate ends.
std::chrono::system_clock::time_point expiry(const server_tls_context& of);

/// Throws tls_error if a client_pool could not use it.
void check_client_tls(const client_tls& from);

/// "sha256/" and 32 bytes in base64.
bool is_pin(std::string_view text) noexcept;

}  // namespace turnout::net
