#pragma once
// All gateways with their common ledger, and the calls that control and show
// them. No sockets and no clock: the running sandbox drives it, and so do tests.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/agenda.hpp"
#include "sandbox/gateway.hpp"
#include "sandbox/ledger.hpp"
#include "sandbox/outbox.hpp"

namespace turnout::sandbox {

struct exchange_options {
  std::string ledger_file;         ///< empty: kept in memory only
  std::uint64_t seed = 1;          ///< of approvals, faults and latencies
  std::uint64_t salt = 1;          ///< for the digests of requests; a ledger file's own wins
  std::uint64_t first_charge = 1;  ///< charges are numbered from here
};

/// Opens (true) or closes a gateway's own listener; returns what went wrong, empty when nothing did.
using listener_switch = std::function<std::string(std::size_t gateway, bool open)>;

class exchange {
 public:
  /// Throws what ledger_file throws.
  explicit exchange(const exchange_options& options);

  /// Where GET /_gateways says things are.
  void set_addresses(const std::string& address, std::uint16_t port,
                     const std::array<std::uint16_t, gateway_count>& gateways);
  void set_listener_switch(listener_switch how) { listeners_ = std::move(how); }

  /// A request on the common port.
  void receive(const net::request& message, answerer to, const payments::instant& now);
  /// A request on a gateway's own port.
  void receive(std::size_t gateway, const net::request& message, answerer to, const payments::instant& now);

  void run_due(const payments::instant& now) { later_.run_due(now); }
  std::optional<payments::steady_time> next_due() const { return later_.next_due(); }
  /// Answers wait for flush(): something must be on disk first.
  bool waiting() const noexcept { return out_.waiting(); }
  /// Throws std::system_error when the disk fails: nothing may be answered any more.
  void flush() { out_.flush(); }
  std::size_t stalled() const noexcept;
  /// Lets go of every answerer; to be called before connections die.
  void abandon();

 private:
  void receive_internal(const net::request& message, std::string_view path, std::string_view query, const answerer& to);
  net::response answer_ledger(std::string_view query) const;
  net::response answer_control(const net::request& message, std::string_view name);
  net::response change_control(std::size_t index, std::string_view body);
  net::response reset();
  std::string switch_listener(std::size_t index, outage from, outage to);

  ledger book_;
  agenda later_;
  outbox out_{book_};
  std::array<std::unique_ptr<gateway>, gateway_count> gateways_;
  std::string gateways_json_ = "{}";
  listener_switch listeners_;
};

}  // namespace turnout::sandbox
