#pragma once
// One simulated gateway: receives a request, decides, and says when and what
// to answer. Time comes in; connections are seen only as answerers.
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sandbox/agenda.hpp"
#include "sandbox/books.hpp"
#include "sandbox/challenge.hpp"
#include "sandbox/control.hpp"
#include "sandbox/dialect.hpp"
#include "sandbox/outbox.hpp"
#include "sandbox/random_stream.hpp"

namespace turnout::sandbox {

/// What all gateways share.
struct surroundings {
  ledger& book;
  agenda& later;
  outbox& out;
};

/// What a second request does while the first with its key is running.
enum class key_clash : std::uint8_t { conflict, wait };

struct gateway_traits {
  std::uint8_t index;
  const dialect* speech;
  key_memory memory;
  key_clash clash;
  bool posted_challenge = false;  ///< its challenge pages are reached by a form, not by a link
};

class gateway {
 public:
  gateway(const gateway_traits& traits, const surroundings& around, std::uint64_t seed);

  /// `target` is relative to the gateway's root.
  void receive(const net::request& message, std::string_view target, answerer to, const payments::instant& now);

  const turnout::sandbox::control& control() const noexcept { return control_; }
  /// Ends what the old outage held: stalled requests are closed.
  void set_control(turnout::sandbox::control changed);
  /// A ledger line from the file.
  void restore(const operation& what) { books_.apply(what); }
  /// Forgets everything; the caller resets the ledger and the agenda.
  void reset();
  std::size_t stalled() const noexcept { return stalled_.size(); }
  /// Lets go of every answerer, for when the connections are about to die.
  void abandon() {
    stalled_.clear();
    running_keys_.clear();
    running_references_.clear();
  }

 private:
  /// A charge that was accepted and is not processed yet.
  struct running_charge {
    call asked;
    std::uint64_t digest;
    answerer to;
    std::vector<std::pair<call, answerer>> waiting;  ///< requests with the same key (key_clash::wait)
  };
  using running = std::shared_ptr<running_charge>;

  void receive_charge(call asked, const answerer& to, const payments::instant& now);
  void admit_charge(call asked, const answerer& to, const payments::instant& now);
  bool settled_by_key(call& asked, std::uint64_t digest, const answerer& to, const payments::instant& now);
  refusal reference_refusal(const call& asked) const;
  void start_delayed(call asked, std::uint64_t digest, const answerer& to, const payments::instant& now);
  void finish_delayed(const running& charge, const payments::instant& now);
  void process_charge(const call& asked, std::uint64_t digest, const answerer& to, const payments::instant& now);
  void refuse_charge(const call& asked, std::uint64_t digest, refusal why, const answerer& to,
                     const payments::instant& now);
  void decide(const call& asked, operation& what);

  static bool is_challenge_page(std::string_view target) noexcept;
  static std::string page_root(const net::request& message, std::string_view target);
  void begin_challenge(const call& asked, std::uint64_t digest, const answerer& to, const payments::instant& now);
  /// Answers a request for a charge, or an inquiry about one, that waits for its shopper.
  bool settled_by_challenge(const call& asked, std::uint64_t digest, const answerer& to, const payments::instant& now);
  bool inquired_challenge(const call& asked, const answerer& to, const payments::instant& now);
  void show_challenge(const net::request& message, std::string_view target, const answerer& to,
                      const payments::instant& now);
  void end_challenge(const challenge& waiting, std::string_view result, std::string_view code, const answerer& to,
                     const payments::instant& now);
  void inquire(const call& asked, const answerer& to, const payments::instant& now);
  void reverse(const call& asked, const answerer& to, const payments::instant& now);
  void receive_modification(const call& asked, const answerer& to, const payments::instant& now);
  void modify(const call& asked, const answerer& to, const payments::instant& now);

  /// The answer that a recorded operation has, now and whenever it is replayed.
  /// `reference`: the caller's own for this capture, refund or void.
  net::response answer_for(const operation& what, std::string_view reference = {}) const;
  void replay(const operation& first, std::string_view reference, const answerer& to, const payments::instant& now);
  std::uint64_t digest_of(const call& asked) const;
  payments::decline_reason drawn_decline();

  void refuse(refusal why, const answerer& to, const payments::instant& now, std::string_view reference = {});
  /// Answers a processed charge, or does to the answer what the faults say.
  void answer_charge(net::response answer, const answerer& to, const payments::instant& now);
  /// The same for a capture, refund or void that was done.
  void answer_modification(net::response answer, const answerer& to, const payments::instant& now);
  void answer(std::optional<net::response> what, const answerer& to, const payments::instant& now);
  void stall(const answerer& to, const payments::instant& now);
  void release_stalled(payments::steady_time until);

  /// A stalled request holds a connection whose client may have left long ago:
  /// there is a limit to how many are held (the oldest is closed) and how long.
  static constexpr std::size_t most_stalled = 2'000;
  static constexpr std::chrono::minutes longest_stall{5};

  gateway_traits traits_;
  surroundings around_;
  std::uint64_t seed_;
  turnout::sandbox::control control_;
  books books_;
  challenges challenges_;
  /// Streams of their own: what a charge meets does not depend on the captures before it.
  random_stream approvals_, faults_, latencies_, modification_faults_;
  std::unordered_map<std::string, running> running_keys_;
  std::unordered_map<std::string, running> running_references_;
  struct stalled_request {
    payments::steady_time since;
    answerer to;
  };
  std::deque<stalled_request> stalled_;
};

}  // namespace turnout::sandbox
