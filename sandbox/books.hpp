#pragma once
// What one gateway knows: charges, references and idempotency keys. Operations
// are decided here and applied here; applying the ledger's lines in order
// rebuilds the books after a restart.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "sandbox/ledger.hpp"
#include "sandbox/operation.hpp"

namespace turnout::sandbox {

/// Which answers a gateway gives again for a key it has seen.
enum class key_memory : std::uint8_t {
  none,     ///< keys are not read
  success,  ///< approvals only; anything else is processed anew
  all,
};

struct charge_record {
  std::uint64_t number;
  std::int64_t at_ms;
  std::string_view reference;
  std::string_view key;
  payments::money amount;
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  payments::decline_reason reason = payments::decline_reason::none;
  bool declined = false;
  bool closed = false;    ///< captured for good: what was not captured is released
  bool voided = false;    ///< what was not captured is released; nothing can be captured any more
  bool reversed = false;  ///< by reference

  /// What a capture may still take.
  std::int64_t capturable() const noexcept { return closed || voided ? 0 : amount.minor - captured; }
};

class books {
 public:
  books(std::uint8_t gateway, key_memory memory, ledger& common)
      : gateway_(gateway), memory_(memory), ledger_(common) {}

  /// Numbers `what`, writes it to the ledger and applies it.
  const operation& record(operation what);
  /// Applies a line that the ledger already holds.
  void apply(const operation& what);
  void clear();

  const charge_record* by_number(std::uint64_t number) const;
  const charge_record* by_reference(std::string_view reference) const;
  bool reversed(std::string_view reference) const;
  /// The operation whose answer the key returns; null when there is none or it is too old.
  const operation* by_key(std::string_view scope, std::int64_t now_ms) const;

  /// A key means one thing per kind of operation and charge; charges by reference are one kind.
  static std::string key_scope(std::string_view key, operation_kind kind, std::uint64_t charge);

  /// What capturing, refunding or voiding would be: `amount` empty is all that is left.
  operation modify(operation_kind kind, const charge_record& charge, std::optional<std::int64_t> amount,
                   std::optional<payments::currency> unit, bool final_capture) const;
  /// The void or refund that undoes whatever the reference stands for.
  operation reverse(std::string_view reference) const;

 private:
  struct reference_state {
    std::uint32_t charge = no_charge;
    std::uint64_t reversal = 0;  ///< seq of the reversal that blocks it; 0: none
  };
  static constexpr std::uint32_t no_charge = 0xffffffff;
  static constexpr std::int64_t key_life_ms = 24 * 3'600'000LL;

  charge_record* find(std::uint64_t number);
  bool remembered(const operation& what) const;

  std::uint8_t gateway_;
  key_memory memory_;
  ledger& ledger_;
  std::deque<charge_record> charges_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;
  boost::unordered_flat_map<std::string_view, reference_state> references_;
  boost::unordered_flat_map<std::string_view, std::uint64_t> keys_;  ///< to the seq of the operation
};

}  // namespace turnout::sandbox
