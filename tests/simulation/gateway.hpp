#pragma once
// A simulated gateway: it keeps a true ledger, honours what its profile
// declares and nothing beyond, and fails as it is told.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "connectors/definition.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

struct charge {
  std::string reference;  ///< att_…
  std::int64_t amount = 0, captured = 0, refunded = 0;
  bool voided = false;
  bool reversed = false;  ///< by reference: voided, or what was captured given back
  bool declined = false;
  bool undecided = false;
  steady_time made_at{}, visible_at{};

  bool stands() const noexcept { return !undecided && !declined && !voided && !reversed; }
};

/// How it answered, before the network has its say.
struct reply {
  std::string_view word;  ///< approved, pending, declined, rejected, not_sent, not_found, found, unclear
  std::int64_t amount = 0;
  bool captured = false, voided = false;
  std::int64_t captured_total = 0, refunded_total = 0;
};

/// What the proxy knows of it: its profile, and a wire format of a few words.
class simulated_connector final : public connectors::definition {
 public:
  explicit simulated_connector(payments::connector_profile profile) : profile_(std::move(profile)) {}
  const payments::connector_profile& profile() const noexcept override { return profile_; }
  std::string_view base_url() const noexcept override { return "http://gateway.invalid"; }
  connectors::wire_request build_request(payments::operation wanted,
                                         const connectors::request_context& context) const override;
  payments::send_result parse_response(payments::operation asked, const connectors::wire_reply& answer,
                                       const payments::money& charged) const override;

 private:
  payments::connector_profile profile_;
};

connectors::wire_reply write_reply(const reply& said);

/// Some worlds are broken on purpose: see variants.hpp.
struct gateway_habits {
  bool forgets_operation_keys = false;   ///< of captures, refunds and voids
  std::optional<milliseconds> key_life;  ///< shorter than declared
};

class gateway {
 public:
  using answer = std::function<void(core::exchange)>;
  gateway(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
          payments::connector_profile declared, gateway_habits habits);

  void receive(const connectors::wire_request& request, steady_time deadline, scheduler::life caller, answer done);
  void go_down(milliseconds time);
  void heal() { down_until_ = {}; }

  const std::string& name() const noexcept { return declared_.name; }
  const payments::connector_profile& declared() const noexcept { return declared_; }
  const std::vector<charge>& ledger() const noexcept { return charges_; }
  /// What no proxy may ever ask for, in words.
  const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  /// Called with each line of its story, where set.
  std::function<void(const std::string& reference, const std::string& line)> tell;

 private:
  struct asked {
    std::string operation, reference, key;
    std::int64_t amount = 0;
    bool final_capture = true;
  };
  struct key_record {
    steady_time made_at{};
    std::optional<reply> cached;
    bool running = false;
    std::vector<std::function<void(const reply&)>> waiting;
  };
  using answer_word = std::function<void(const reply&)>;

  static asked read(const connectors::wire_request& request);
  /// nullopt: the request has no key, or it is not honoured.
  std::optional<std::string> key_scope(const asked& what) const;
  void end_first(const std::string& scope, const asked& what, const answer_word& said);
  reply perform(const asked& what);
  reply make_charge(const asked& what);
  void decide(std::size_t which, bool sale);
  reply modify(const asked& what);
  reply inquire(const asked& what) const;
  reply reverse(const asked& what);
  charge* standing(const std::string& reference);
  void complain(const asked& what, const char* why);
  void note(const asked& what, const reply& said);
  bool strikes(fault which);

  scheduler& time_;
  seeded_random& random_;
  const per_fault<double>& odds_;
  per_fault<std::uint64_t>& count_;
  payments::connector_profile declared_;
  gateway_habits habits_;
  std::vector<charge> charges_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_reference_;
  std::unordered_set<std::string> blocked_;
  std::unordered_map<std::string, key_record> keys_;
  std::vector<std::string> complaints_;
  steady_time down_until_{};
  bool down_stalls_ = false;
};

}  // namespace turnout::simulation
