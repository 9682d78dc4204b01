#pragma once
// How one gateway speaks: a request read into a call, an outcome written as an
// answer. Text in, text out; every gateway's own words live in its own file.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "net/http.hpp"
#include "payments/instant.hpp"
#include "sandbox/books.hpp"
#include "sandbox/operation.hpp"

namespace turnout::sandbox {

enum class call_kind : std::uint8_t { charge, inquire, reverse, modify };

/// What a request asks for. It holds nothing of the card but what decides the outcome.
struct call {
  call_kind kind = call_kind::charge;
  operation_kind operation = operation_kind::sale;  ///< of a charge or a modification
  std::string reference;                            ///< of a charge, inquiry or reversal
  std::string key;                                  ///< idempotency key, empty when none
  std::string operation_reference;                  ///< of a modification: the caller's own, may be empty
  std::uint64_t charge = 0;                         ///< of a modification; 0 when the id is not one of ours
  std::optional<std::int64_t> amount;               ///< always there for a charge; else empty is all
  std::optional<payments::currency> unit;           ///< always there for a charge
  bool final_capture = true;                        ///< false: more captures may follow
  payments::decline_reason forced = payments::decline_reason::none;  ///< what the card itself decides
  std::string return_url;         ///< of a charge: where the shopper comes back; empty: no challenge is possible
  bool authenticated = false;     ///< of a charge: the caller brought an authentication
  std::string page_root;          ///< where this gateway's challenge pages are, as the caller reaches it
  std::uint64_t card_digest = 0;  ///< of what may be kept of the card
};

struct rejection {
  refusal code = refusal::invalid;
  std::string message;
  std::string field;           ///< dotted path of the member at fault, may be empty
  std::string reference = {};  ///< of the charge or inquiry that is refused, where it was read
};

using reading = std::variant<call, rejection>;

/// A charge as an answer shows it.
struct charge_view {
  std::uint64_t number = 0;
  std::string_view reference;
  std::optional<payments::money> amount;
  bool captured = false;
  bool reversed = false;  ///< nothing of it stands: undone by reference, or voided before any capture
  std::int64_t captured_total = 0, refunded_total = 0;
  bool voided = false;  ///< what was not captured was released by a void or a reversal
  bool declined = false;
  payments::decline_reason reason = payments::decline_reason::none;
  std::string_view operation_reference;  ///< of the capture, refund or void that is answered; may be empty
  std::string_view challenge_url;        ///< not empty: no charge yet, the shopper must go there first
  std::string_view challenge_proof;      ///< and bring this, where pages are posted to
};

class dialect {
 public:
  virtual ~dialect() = default;
  virtual bool has_credential(const net::request& message) const = 0;
  /// `target` is the path and query behind the gateway's own root.
  virtual reading read(const net::request& message, std::string_view target, const payments::instant& now) const = 0;

  /// A charge just made or declined, or that answer given again.
  virtual net::response charged(const charge_view& charge) const = 0;
  virtual net::response inquired(const charge_view& charge) const = 0;
  /// `charge` is 0 when the reference never charged.
  virtual net::response reversed(std::string_view reference, std::uint64_t charge) const = 0;
  /// A capture, refund or void done on `charge`, for `charge.amount`.
  virtual net::response modified(operation_kind kind, const charge_view& charge) const = 0;
  virtual net::response refused(const rejection& why) const = 0;
};

const dialect& alpha_dialect() noexcept;
const dialect& beta_dialect() noexcept;
const dialect& gamma_dialect() noexcept;
const dialect& delta_dialect() noexcept;

/// Plain English for a refusal that comes without its own message.
std::string_view describe(refusal code) noexcept;

}  // namespace turnout::sandbox
