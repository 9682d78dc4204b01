#pragma once
// A connector: how to speak to one gateway, as its YAML file says it. Pure
// text in, text out.
#include <memory>
#include <string>
#include <string_view>

#include "connectors/gateway_tls.hpp"
#include "connectors/wire.hpp"
#include "payments/attempt.hpp"
#include "payments/connector_profile.hpp"
#include "payments/payment.hpp"
#include "payments/send_result.hpp"
#include "settings/document.hpp"
#include "settings/problem.hpp"

namespace turnout::connectors {

/// What a request template may read. `card` is null except on charges and
/// replays; `modification` is null except on captures, refunds and voids: then
/// {{amount.*}} is its amount in the attempt's currency, {{operation.id}} its id,
/// and {{attempt.id}} in `idempotency.value` as well.
struct request_context {
  const payments::payment& payment;
  const payments::attempt& attempt;
  const payments::card* card;
  const payments::modification* modification = nullptr;
  /// Where the gateway sends the shopper back to: Turnout's own signed address.
  /// Empty when the merchant named no return_url, and except on charges and replays.
  std::string_view return_url = {};
};

class definition {
 public:
  /// Appends to `found` and returns null when the file has errors.
  static std::shared_ptr<const definition> load(const settings::document& file, settings::problems& found);
  virtual ~definition() = default;

  virtual const payments::connector_profile& profile() const noexcept = 0;
  /// scheme://host:port, without a path.
  virtual std::string_view base_url() const noexcept = 0;
  /// For an https base_url; null: nothing is said.
  virtual const std::shared_ptr<const gateway_tls>& tls() const noexcept {
    static const std::shared_ptr<const gateway_tls> none;
    return none;
  }
  /// Precondition: profile().offers(wanted). A charge and its replay build the same bytes.
  virtual wire_request build_request(payments::operation wanted, const request_context& context) const = 0;
  /// Reads a complete answer through the response rules; no rule: unknown, "no_rule_matched".
  /// `charged` says in which currency amounts are read; of a capture, refund or
  /// void it is the modification's amount.
  virtual payments::send_result parse_response(payments::operation asked, const wire_reply& reply,
                                               const payments::money& charged) const = 0;
};

}  // namespace turnout::connectors
