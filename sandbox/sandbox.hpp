#pragma once
// The running sandbox: simulated gateways on real sockets, with one thread of
// its own. What they do is in exchange.hpp; here are listeners, time and disk.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace turnout::sandbox {

struct sandbox_options {
  std::string address = "127.0.0.1";
  /// The common port; the gateways take the next four. 0: free ports for all.
  std::uint16_t port = 9100;
  /// Operations are appended and synced here before they are answered, and
  /// read back at the start. Empty: kept in memory only.
  std::string ledger_file;
  /// Of approvals, faults and latencies; 0 takes a random one.
  std::uint64_t seed = 0;
};

class sandbox {
 public:
  /// Reads the ledger file. Throws std::runtime_error or std::system_error
  /// when it cannot be used; the text names it.
  explicit sandbox(sandbox_options options);
  /// Stops.
  ~sandbox();
  sandbox(const sandbox&) = delete;
  sandbox& operator=(const sandbox&) = delete;

  /// Listens on all ports and serves until stop(). Once per object. Throws
  /// boost::system::system_error, naming the address and port, when one is taken.
  void start();
  /// Closes everything and ends the thread. Idempotent.
  void stop();

  /// Known from start() on.
  std::uint16_t port() const noexcept;
  /// "alpha", "beta", "gamma" or "delta"; throws std::out_of_range for another name.
  std::uint16_t gateway_port(std::string_view name) const;
  /// "http://127.0.0.1:9100" and "http://127.0.0.1:9101".
  std::string url() const;
  std::string gateway_url(std::string_view name) const;
  /// One line for people: where everything listens, and where the ledger is.
  std::string describe() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace turnout::sandbox
