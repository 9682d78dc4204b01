// Captures, refunds and cancellations over the API.
#include "proxy/api/answers.hpp"
#include "proxy/api/api.hpp"
#include "proxy/api/exchange.hpp"
#include "proxy/api/idempotency.hpp"
#include "proxy/api/modification_body.hpp"
#include "proxy/api/render.hpp"

namespace turnout::api {

namespace {

using payments::modification_kind;
using payments::modification_refusal;

problem refused(core::modify_result result) {
  switch (result.refusal) {
    case modification_refusal::none: break;
    case modification_refusal::invalid_state: return make(problems::invalid_state, std::move(result.detail));
    case modification_refusal::operation_pending:
      return retry_soon(make(problems::operation_pending, std::move(result.detail)));
    case modification_refusal::amount_too_large:
      return {problems::amount_too_large, result.detail, {{"amount", result.detail}}, {}, {}};
    case modification_refusal::not_supported: return make(problems::not_supported, std::move(result.detail));
    case modification_refusal::authorization_expired:
      return make(problems::authorization_expired, std::move(result.detail));
    case modification_refusal::too_many: return make(problems::too_many_operations, std::move(result.detail));
  }
  return make(problems::internal_error, "the request could not be completed");
}

void answer_modified(const endpoint_call& call, core::modify_result result, bool draining) {
  switch (result.status) {
    case core::modify_status::answered:
    case core::modify_status::replayed: {
      if (result.answer.status == 0) break;
      net::response answer = json_answer(result.answer.status, std::move(result.answer.body));
      if (result.status == core::modify_status::replayed) answer.fields.emplace_back("Idempotency-Replayed", "true");
      return call.answer(std::move(answer));
    }
    case core::modify_status::in_progress: return call.refuse(key_in_progress());
    case core::modify_status::key_reused: return call.refuse(key_reused());
    case core::modify_status::not_found: return call.refuse(no_payment());
    case core::modify_status::refused: return call.refuse(refused(std::move(result)));
    case core::modify_status::unavailable:
      if (draining)
        return call.refuse(retry_soon(make(problems::shutting_down, "nothing was sent; try again in a moment")));
      return call.refuse(retry_soon(make(problems::journal_unavailable, "try again in a moment, with the same key")));
  }
  endpoint_call failed = call;
  failed.failure = "what a key stands for is not in the journal";
  failed.refuse(make(problems::internal_error, "the request could not be completed"));
}

}  // namespace

void api::create_capture(exchange& at) { modify(at, modification_kind::capture); }
void api::create_refund(exchange& at) { modify(at, modification_kind::refund); }
void api::cancel_payment(exchange& at) { modify(at, modification_kind::cancellation); }

void api::modify(exchange& at, modification_kind kind) {
  const std::optional<payments::payment> record =
      at.own.reader->find_own(at.who.merchant, at.who.livemode, at.parameter);
  if (!record) return at.call.refuse(no_payment());
  const bool empty = at.message.body.empty();
  if (!empty)
    if (const auto wrong = check_media_type(at.message.fields)) return at.call.refuse(*wrong);
  idempotency_key key = read_idempotency_key(at.message.fields);
  if (key.key) {
    std::string masked = *key.key;
    payments::mask_number(masked, record->card);
    if (masked != *key.key) key.error = "must not contain the card number";
  }
  if (!key.error.empty()) return at.call.refuse(invalid({{std::string(idempotency_header), key.error}}));

  json_failure failure;
  const std::optional<json_document> document =
      json_document::parse(empty ? std::string_view("{}") : std::string_view(at.message.body), {}, failure);
  if (!document) return at.call.refuse(malformed(failure));
  modification_body body = read_modification_body(*document, kind, record->card);
  if (!body.errors.empty()) return at.call.refuse(invalid(std::move(body.errors)));

  core::modify_command command{.payment_id = record->id,
                               .merchant = at.who.merchant,
                               .livemode = at.who.livemode,
                               .wish = std::move(body.wish),
                               .claim = {},
                               .render = render_modified};
  if (key.key) command.claim = {std::move(*key.key), request_mac(*world_.request_key, "POST", at.path, *document), {}};
  at.own.modify(std::move(command), [this, call = at.call](core::modify_result result) {
    answer_modified(call, std::move(result), world_.draining && world_.draining());
  });
}

void api::get_captures(exchange& at) { at.read(reading_, &payment_reading::captures); }
void api::get_refunds(exchange& at) { at.read(reading_, &payment_reading::refunds); }

}  // namespace turnout::api
