#pragma once
// What travels between the proxy and a simulated gateway: a line of a few
// words each way, written and read by a connector like any other.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/definition.hpp"

namespace turnout::simulation {

/// What a gateway is asked for.
struct asked {
  std::string operation, reference, key;
  std::int64_t amount = 0;
  bool final_capture = true;
  std::string card;                     ///< its number; empty except on charges
  std::optional<std::size_t> charge{};  ///< by the gateway's own reference; only of captures, refunds and voids
};

/// How it answers, before the network has its say.
struct reply {
  /// approved, pending, action, declined, rejected, not_sent, not_found, found, unclear
  std::string_view word;
  std::int64_t amount = 0;
  bool captured = false, voided = false;
  std::int64_t captured_total = 0, refunded_total = 0;
  payments::decline_reason reason = payments::decline_reason::none;
  bool hard = false;                    ///< declined without a reason, and for good
  std::string url;                      ///< of a challenge
  std::string comment;                  ///< what nobody asked for; it may hold the card's number
  std::optional<std::size_t> charge{};  ///< its place in the ledger: the gateway's own reference
};

asked read_request(const connectors::wire_request& request);
connectors::wire_reply write_reply(const reply& said);
/// The first word of an answer.
std::string_view word_of(const connectors::wire_reply& answer);

/// What the proxy knows of a gateway: its profile, and how to read the lines.
class simulated_connector final : public connectors::definition {
 public:
  explicit simulated_connector(payments::connector_profile profile) : profile_(std::move(profile)) {}
  const payments::connector_profile& profile() const noexcept override { return profile_; }
  std::string_view base_url() const noexcept override { return "http://gateway.invalid"; }
  connectors::wire_request build_request(payments::operation wanted,
                                         const connectors::request_context& context) const override;
  payments::send_result parse_response(payments::operation wanted, const connectors::wire_reply& answer,
                                       const payments::money& charged) const override;

 private:
  payments::connector_profile profile_;
};

}  // namespace turnout::simulation
