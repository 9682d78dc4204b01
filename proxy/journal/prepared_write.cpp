#include "proxy/journal/prepared_write.hpp"

#include <utility>

#include "proxy/journal/record_json.hpp"

namespace turnout::journal {

namespace {
/// Most records with one or two attempts fit, with their events and a decision.
constexpr std::size_t usual_bytes = 2560;
}  // namespace

prepared_write::prepared_write(std::shared_ptr<const core::journal_write> write, sha256& with)
    : write_(std::move(write)) {
  const payments::payment& record = *write_->record;
  text_.reserve(usual_bytes);
  write_record(record, text_);
  events_at_ = text_.size();
  write_events(write_->events, text_);
  decisions_at_ = text_.size();
  write_array(write_->decisions, text_);
  record_digest_ = digest_of(with, this->record());
  step_digest_ = digest_of_step(with, record.id, events(), decisions());
  if (const auto& claim = write_->claim)
    rows_.push_back({claim->object.empty() ? kept_row::payment_key : kept_row::operation_key,
                     digest_of_key(with, claim->object, claim->key, claim->mac)});
  if (write_->create && write_->unique_reference && !record.reference.empty())
    rows_.push_back({kept_row::unique_reference, digest_of(with, record.reference)});
  for (const core::object_answer& each : write_->answers)
    rows_.push_back({each.object.empty() ? kept_row::payment_answer : kept_row::operation_answer,
                     digest_of_answer(with, each.object, each.answer.status, each.answer.body)});
}

}  // namespace turnout::journal
