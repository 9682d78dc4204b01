#pragma once
// When the sends that find out the truth may leave: replays, inquiries,
// reversals and repeated captures, refunds and voids; never a first charge.
// Shared by all engines, so that ten thousand payments that wait for a gateway
// do not bring it down again when it comes back.
//
// A token bucket for each gateway delays, and never drops: payments whose
// merchant still waits go first, then the oldest. A gateway that does not answer
// is asked by one payment at a time, every few seconds, while the others wait.
//
// Every call may come from any thread; no call waits for anything but a lock that
// is held for microseconds. Time comes in.
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "payments/instant.hpp"

namespace turnout::core {

class gateway_pacing {
 public:
  using ticket = std::uint64_t;
  struct request {
    std::string_view connector;
    double per_second;  ///< of its profile; > 0
    std::size_t engine;
    bool urgent;                ///< somebody waits for the answer
    payments::wall_time since;  ///< the payment's age: the oldest first
  };

  /// nullopt: send now. Otherwise: not before collect() has returned the ticket.
  std::optional<ticket> ask(const request& wanted, payments::steady_time now);
  /// Whoever waited under the ticket does not any more; an unknown one is ignored.
  void give_up(std::string_view connector, ticket waiting);
  /// What this engine asked for and may send now.
  std::vector<ticket> collect(std::size_t engine, payments::steady_time now);
  /// When collect() may have something for this engine; max(): it waits for nothing.
  payments::steady_time next_grant(std::size_t engine, payments::steady_time now);
  /// An engine (again) begins: nothing waits for it.
  void forget(std::size_t engine);

  /// A send that began at `begun` brought a definite answer, or none. True: the gateway is
  /// back, and everybody who waits for it should be told.
  bool observe(std::string_view connector, bool definite, payments::steady_time begun, payments::steady_time now);
  /// Gateways whose latest sends brought no definite answer.
  std::vector<std::string> troubled() const;
  /// A troubled gateway has to be asked now, and nobody waits in line to do it: whoever
  /// hears true lets a payment ask that would sleep.
  bool probe_due(std::string_view connector, payments::steady_time now) const;

  struct view {
    std::string connector;
    std::size_t waiting;  ///< for their turn
    bool silent;          ///< only one at a time asks
  };
  std::vector<view> views() const;

  /// How often a silent gateway is asked by those who wait for it.
  static constexpr payments::milliseconds probe_interval{2000};
  /// A gateway that was silent is seen to be back at most this often; one that only
  /// failed now and then at most as often as the second.
  static constexpr payments::milliseconds wake_pause{2000}, hiccup_pause{10'000};
  /// So many sends in a row without a definite answer: the gateway is silent.
  static constexpr int silent_after = 3;

 private:
  struct place {
    bool patient;  ///< sorts after the urgent
    payments::wall_time since;
    ticket number;
    std::size_t engine;
    friend bool operator<(const place& a, const place& b) noexcept {
      return std::tie(a.patient, a.since, a.number) < std::tie(b.patient, b.since, b.number);
    }
  };
  struct gateway {
    double per_second = 0, tokens = 0;
    payments::steady_time filled{};
    std::set<place> line;
    std::map<ticket, place> places;                      ///< the same, by ticket
    std::map<std::size_t, std::size_t> waiting;          ///< the same, counted by engine
    std::map<std::size_t, std::vector<ticket>> granted;  ///< by engine, until collected
    int failures = 0;                                    ///< in a row
    bool silent = false, was_silent = false, owes_wake = false;
    payments::steady_time next_probe{};
    payments::steady_time last_definite = payments::steady_time::min(), last_wake = payments::steady_time::min();
  };

  static void fill(gateway& of, payments::steady_time now) noexcept;
  static void advance(gateway& of, payments::steady_time now);
  static void grant(gateway& of, std::set<place>::iterator next, payments::steady_time now);
  static void spend(gateway& of, payments::steady_time now) noexcept;
  static void remove(gateway& of, std::set<place>::iterator gone);
  gateway& known(std::string_view connector);

  mutable std::mutex mutex_;
  ticket last_ = 0;
  std::map<std::string, gateway, std::less<>> gateways_;
};

}  // namespace turnout::core
