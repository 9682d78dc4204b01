// A person's word on what nobody proves: checked against the record as it is,
// durable before it is acted upon, or taken back whole.
#include <utility>

#include "payments/assertion.hpp"
#include "payments/resolution.hpp"
#include "proxy/core/payment_run.hpp"

namespace turnout::core {

namespace {

resolve_status status_of(payments::resolution_refusal refusal) {
  switch (refusal) {
    case payments::resolution_refusal::none: return resolve_status::resolved;
    case payments::resolution_refusal::unknown_target: return resolve_status::unknown_target;
    case payments::resolution_refusal::not_in_doubt: return resolve_status::not_in_doubt;
    case payments::resolution_refusal::busy: return resolve_status::busy;
  }
  TURNOUT_ASSERT(false);
}

}  // namespace

void payment_run::resolve(payments::resolution word, std::function<void(resolve_result)> done) {
  inbox_.push_back(resolve_request{std::move(word), std::move(done)});
  pump();
}

void payment_run::take_word(resolve_request asked) {
  const payments::payment& record = flow_.record();
  payments::resolution_check check = check_resolution(record, asked.word.target, asked.word.as);
  if (check.refusal != payments::resolution_refusal::none)
    return asked.done({status_of(check.refusal), std::move(check.text), {}});
  // What is on its way may move the money that the word is about.
  if (flow_.sending_about() == asked.word.target)
    return asked.done({resolve_status::busy, "the gateway is being asked about it at this moment", {}});
  for (std::string* text : {&asked.word.by, &asked.word.reason, &asked.word.gateway_reference})
    payments::mask_number(*text, record.card);
  before_ = snapshot{flow_, uncommitted_, decisions_};
  asked.follows = std::move(check.text);
  payments::flow::event event = payments::flow::resolved{asked.word};
  resolver_ = std::move(asked);
  perform(decide(event));
  TURNOUT_ASSERT(committing_);
}

void payment_run::tell_resolver(resolve_result result) {
  const resolve_request asked = std::move(*resolver_);
  resolver_.reset();
  asked.done(std::move(result));
}

}  // namespace turnout::core
