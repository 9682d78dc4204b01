#include "tests/simulation/network.hpp"

#include <utility>

namespace turnout::simulation {

namespace {

using payments::operation;
using payments::outcome;

/// What a broken proxy reads into an answer.
class misread_connector final : public connectors::definition {
 public:
  misread_connector(payments::connector_profile profile, const variant& how) : real_(std::move(profile)), how_(how) {}
  const payments::connector_profile& profile() const noexcept override { return real_.profile(); }
  std::string_view base_url() const noexcept override { return real_.base_url(); }
  connectors::wire_request build_request(operation wanted, const connectors::request_context& context) const override {
    return real_.build_request(wanted, context);
  }
  payments::send_result parse_response(operation wanted, const connectors::wire_reply& answer,
                                       const payments::money& charged) const override {
    payments::send_result result = real_.parse_response(wanted, answer, charged);
    if (how_.any_amount) result.amount_minor.reset();
    if (how_.keeps_card && !result.gateway_code.empty()) result.code = result.gateway_code;
    const bool charges = wanted == operation::sale || wanted == operation::authorize;
    if (!charges) return result;
    const bool duplicate = result.reason == payments::decline_reason::duplicate;
    const bool as_declined = (how_.limited_replay_is_decline && result.result == outcome::not_sent) ||
                             (how_.duplicate_is_decline && duplicate) ||
                             (how_.hard_is_soft && result.result == outcome::hard_decline) ||
                             (how_.pending_is_declined && result.result == outcome::pending) ||
                             (how_.challenge_is_declined && result.result == outcome::requires_action);
    if (as_declined) {
      result.result = outcome::soft_decline;
      result.reason = payments::decline_reason::do_not_honor;
    }
    return result;
  }

 private:
  simulated_connector real_;
  const variant& how_;
};

core::exchange answered(const reply& said) {
  core::exchange made;
  made.carried = true;
  made.reply = write_reply(said);
  return made;
}

}  // namespace

std::shared_ptr<const connectors::definition> make_connector(payments::connector_profile profile, const variant* how) {
  if (how == nullptr) return std::make_shared<simulated_connector>(std::move(profile));
  if (how->trusts_early_not_found && profile.resolve.not_found_final_after) profile.resolve.not_found_final_after = 0ms;
  if (how->keys_live_for_ever && profile.resolve.replay) {
    profile.idempotency.ttl = 1000h;
    profile.resolve.replay_for = 1000h;
  }
  return std::make_shared<misread_connector>(std::move(profile), *how);
}

void network::send(const connectors::definition& connector, connectors::wire_request request, steady_time deadline,
                   std::function<void(core::exchange)> done) {
  asked what = read_request(request);
  check_durable(what);
  if (broken_ == nullptr)
    return gateways_.at(connector.profile().name)->receive(std::move(what), deadline, whose_, std::move(done));
  if (broken_->reversals_are_forgotten && what.operation == "reverse") {
    time_.after(1ms, whose_, [done] { done(answered({.word = "approved"})); });
    return;
  }
  question about{what.operation, what.reference, what.amount};
  gateways_.at(connector.profile().name)
      ->receive(std::move(what), deadline, whose_, [this, about = std::move(about), done](core::exchange came_back) {
        misread(about, came_back);
        done(std::move(came_back));
      });
}

// The order that all safety rests on: the intent is durable before the first byte.
void network::check_durable(const asked& what) {
  // Of a void or refund that stands for a refund or a reversal: its own id goes before.
  const std::string_view id = std::string_view(what.key).substr(0, what.key.find('-'));
  const bool own = id == what.reference;
  if (journal_.owner_of(what.reference) == nullptr || (!own && journal_.owner_of(std::string(id)) == nullptr))
    violations_.push_back("invariant 2: " + what.operation + " on " + what.reference +
                          " was sent before its intent was durable");
}

void network::misread(const question& what, core::exchange& came_back) {
  const bool charges = what.operation == "sale" || what.operation == "authorize";
  if (!came_back.error.empty()) {
    const bool modifies = what.operation == "capture" || what.operation == "refund" || what.operation == "void";
    if (charges && broken_->unknown_is_not_sent) came_back.carried = false;
    if (!modifies || !came_back.carried) return;
    if (broken_->lost_modification_failed) came_back = answered({.word = "rejected", .amount = what.amount});
    if (broken_->lost_modification_done) came_back = answered({.word = "approved", .amount = what.amount});
    return;
  }
  if (broken_->answers_are_crossed && charges) {
    const auto [kept, first] = kept_.try_emplace(what.operation, came_back.reply);
    if (!first) std::swap(kept->second, came_back.reply);
  }
  if (!broken_->late_approvals_are_ignored || word_of(came_back.reply) != "approved") return;
  if (!charges && what.operation != "inquire") return;
  const std::string* payment = journal_.owner_of(what.reference);
  if (payment != nullptr && journal_.find(*payment)->cancel_requested)
    came_back = answered({.word = "declined", .reason = payments::decline_reason::do_not_honor});
}

}  // namespace turnout::simulation
