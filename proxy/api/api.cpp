#include "proxy/api/api.hpp"

#include <stdexcept>

#include "proxy/api/answers.hpp"
#include "proxy/api/credentials.hpp"
#include "proxy/api/exchange.hpp"
#include "proxy/api/header_text.hpp"
#include "proxy/api/idempotency.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/payment_body.hpp"
#include "proxy/api/payment_list.hpp"
#include "proxy/api/render.hpp"
#include "proxy/api/route_table.hpp"

namespace turnout::api {

namespace {

problem insufficient_scope(scope needed) {
  return make(problems::insufficient_scope, "this needs a key with the scope " + std::string(name_of(needed)));
}

problem unauthorized() {
  problem made = make(problems::unauthorized, "give an API key: Authorization: Bearer ak_…:sk_…, or HTTP Basic");
  made.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"turnout\", Basic realm=\"turnout\", charset=\"UTF-8\"");
  return made;
}

void refuse_method(const std::string& allow, const endpoint_call& call) {
  problem made = make(problems::method_not_allowed, "possible here: " + allow);
  made.fields.emplace_back("Allow", allow);
  call.refuse(made);
}

}  // namespace

// A row that names no query parameters accepts none.
const api::endpoint api::endpoints[] = {
    {"POST", "/v1/payments", scope::payments_write, &api::create_payment},
    {"GET", "/v1/payments", scope::payments_read, &api::list_payments, list_parameters},
    {"GET", "/v1/payments/{id}", scope::payments_read, &api::get_payment, one_parameters},
    {"POST", "/v1/payments/{id}/captures", scope::payments_write, &api::create_capture},
    {"GET", "/v1/payments/{id}/captures", scope::payments_read, &api::get_captures},
    {"POST", "/v1/payments/{id}/cancel", scope::payments_write, &api::cancel_payment},
    {"POST", "/v1/payments/{id}/refunds", scope::payments_refund, &api::create_refund},
    {"GET", "/v1/payments/{id}/refunds", scope::payments_read, &api::get_refunds},
    {"GET", "/v1/payments/{id}/attempts", scope::payments_read, &api::get_attempts},
    {"GET", "/v1/payments/{id}/events", scope::payments_read, &api::get_events, part_parameters},
    {"GET", "/v1/payments/{id}/decisions", scope::payments_read, &api::get_decisions, part_parameters},
};

std::vector<api::route> api::routes() {
  std::vector<route> all;
  for (const endpoint& each : endpoints) all.push_back({each.method, each.path, each.needs, each.parameters});
  return all;
}

// Banks' pages send shoppers back by either method; a posted body is not looked at.
const api::open_endpoint api::open_endpoints[] = {
    {"GET", "/v1/payments/{id}/return", &api::shopper_returned, return_parameters},
    {"POST", "/v1/payments/{id}/return", &api::shopper_returned, return_parameters},
    {"GET", "/openapi.json", &api::get_description},
    {"GET", "/docs", &api::get_docs},
    {"GET", "/docs/renderer.js", &api::get_docs_script},
};

std::vector<api::open_route> api::open_routes() {
  std::vector<open_route> all;
  for (const open_endpoint& each : open_endpoints) all.push_back({each.method, each.path, each.parameters});
  return all;
}

worker worker::with(core::engine& engine, turnout::api::reader& reader, std::function<std::string()> make_request_id,
                    std::function<bool(const principal&, std::string_view key)> knows_key) {
  return {[&engine](core::create_command command, std::function<void(core::create_result)> done) {
            engine.create(std::move(command), std::move(done));
          },
          [&engine](core::modify_command command, std::function<void(core::modify_result)> done) {
            engine.modify(std::move(command), std::move(done));
          },
          &reader,
          std::move(make_request_id),
          std::move(knows_key),
          [&engine](std::string payment, std::function<void(std::optional<payments::payment>)> done) {
            engine.shopper_returned(payment, std::move(done));
          }};
}

dependencies api::checked(dependencies world) {
  bool complete = !world.workers.empty() && world.keys && world.request_key && world.card_key && world.now;
  for (const worker& each : world.workers)
    complete = complete && each.create && each.modify && each.reader && each.make_request_id &&
               (!world.returns || each.shopper_returned);
  if (!complete) throw std::invalid_argument("the API lacks something it depends on");
  return world;
}

api::api(dependencies world)
    : world_(checked(std::move(world))),
      context_{world_.now, world_.on_request, world_.tls},
      gate_(*world_.card_key, world_.settings, world_.on_limited),
      reading_(*world_.request_key) {}

net::response api::protocol_error(unsigned status, std::string_view detail, std::string_view request_id) const {
  net::response answer = render(protocol_problem(status, detail), request_id);
  add_common_headers(answer, request_id, world_.tls);
  return answer;
}

void api::handle(std::size_t worker, net::request&& message, net::responder reply) {
  handle(worker, std::move(message),
         answer_function([reply = std::move(reply)](net::response answer) { reply.send(std::move(answer)); }));
}

void api::handle(std::size_t worker, net::request&& message, answer_function reply) {
  endpoint_call call{&context_,
                     std::move(reply),
                     world_.workers.at(worker).make_request_id(),
                     world_.now(),
                     "unmatched",
                     method_label(message.method),
                     {}};
  try {
    dispatch(worker, message, call);
  } catch (const std::exception& error) {
    // A fault of ours, or of the journal while reading: the client learns
    // nothing but the id to ask about. The responder ignores a second answer.
    call.failure = error.what();
    call.refuse(make(problems::internal_error, "the request could not be completed"));
  }
  net::wipe(message.body);
}

bool api::answered_preflight(const cors_settings& cors, const net::request& message, endpoint_call& call) {
  if (!cors.on()) return false;
  add_cors_fields(cors, message.fields, call.fields);
  if (!is_preflight(cors, message)) return false;
  const split_target target = split(message.target);
  std::string methods = find_route<open_endpoint>(open_endpoints, message.method, target.path).allow;
  if (methods.empty()) methods = find_route<endpoint>(endpoints, message.method, target.path).allow;
  if (methods.empty()) return false;
  call.answer(answer_preflight(cors, std::move(methods)));
  return true;
}

bool api::dispatch_open(std::size_t worker, net::request& message, endpoint_call& call) {
  const split_target target = split(message.target);
  const auto found = find_route<open_endpoint>(open_endpoints, message.method, target.path);
  if (found.row) {
    call.route = found.row->path;
    open_exchange at{world_.workers[worker], message, call, found.parameter, target.query};
    (this->*found.row->serve)(at);
  } else if (!found.allow.empty()) {
    refuse_method(found.allow, call);
  }
  return found.row || !found.allow.empty();
}

void api::dispatch(std::size_t worker, net::request& message, endpoint_call& call) {
  const gate::settings_pointer settings = gate_.settings();
  if (answered_preflight(settings->cors, message, call)) return;
  if (dispatch_open(worker, message, call)) return;
  const split_target target = split(message.target);
  const auto found = find_route<endpoint>(endpoints, message.method, target.path);
  if (!found.row && found.allow.empty())
    return call.refuse(make(problems::not_found, "there is nothing at this address"));
  if (!found.row) return refuse_method(found.allow, call);
  call.route = found.row->path;
  const std::optional<principal> who = authenticate(*settings, message, call);
  if (!who) return;
  if (const auto refused = gate_.admit_request(*settings, *who, call)) return call.refuse(*refused);
  if (!who->scopes.has(found.row->needs)) return call.refuse(insufficient_scope(found.row->needs));
  std::vector<field_error> errors;
  query asked = query::read(target.query, found.row->parameters, errors);
  // What reads a query finds the faults of its values too, and tells all together.
  if (!errors.empty() && found.row->method != "GET") return call.refuse(invalid(std::move(errors)));
  exchange at{world_.workers[worker], message,           call,    target.path, found.parameter, *who,
              std::move(asked),       std::move(errors), settings};
  (this->*found.row->serve)(at);
}

std::optional<principal> api::authenticate(const api_settings& settings, const net::request& message,
                                           const endpoint_call& call) {
  // Who gives no credentials guesses nothing: a probe must not shut its address out.
  const std::optional<credentials> given = read_credentials(message.fields);
  std::optional<principal> who;
  if (!given) return call.refuse(unauthorized()), who;
  if (const auto refused = gate_.admit_client(settings, message.peer, call.arrival.steady))
    return call.refuse(*refused), who;
  who = world_.keys->authenticate(given->id, given->secret.reveal(), call.arrival);
  if (who) return who;
  gate_.authentication_failed(settings, message.peer, call.arrival.steady);
  return call.refuse(unauthorized()), who;
}

void api::create_payment(exchange& at) {
  if (const auto refused = check_media_type(at.message.fields)) return at.call.refuse(*refused);
  idempotency_key key = read_idempotency_key(at.message.fields);
  if (!key.error.empty()) return at.call.refuse(invalid({{std::string(idempotency_header), key.error}}));

  json_failure failure;
  const std::optional<json_document> document = json_document::parse(at.message.body, {}, failure);
  if (!document) return at.call.refuse(malformed(failure));
  payment_body body = read_payment_body(*document, at.who, at.call.arrival.wall);
  if (!body.errors.empty() && key.key && at.own.knows_key && at.own.knows_key(at.who, *key.key))
    body = read_payment_body(*document, at.who, std::nullopt);
  if (key.key && body.request && contains_number(*key.key, body.card.reveal_number()))
    body.errors.push_back({std::string(idempotency_header), "must not contain the card number"});
  if (!body.errors.empty()) return at.call.refuse(invalid(std::move(body.errors)));

  std::string fingerprint = world_.card_key->hex(body.card.reveal_number());
  const testing_subjects whose = gate_.subjects_of(*at.settings, at.who, body.request->buyer.id, body.customer_network);
  const auto was_taken = [&] { return key.key && at.own.knows_key && at.own.knows_key(at.who, *key.key); };
  if (const auto refused = gate_.admit_card(*at.settings, whose, fingerprint, at.call.arrival.steady, was_taken))
    return at.call.refuse(*refused);
  std::optional<core::idempotency_claim> claim;
  if (key.key) claim = {std::move(*key.key), request_mac(*world_.request_key, "POST", at.path, *document), {}};
  const bool unique_reference = at.settings->unique_reference(at.who.merchant);
  core::create_command command{.request = std::move(*body.request),
                               .card = std::move(body.card),
                               .card_fingerprint = std::move(fingerprint),
                               .claim = std::move(claim),
                               .arrival = at.call.arrival,
                               .render = render_created,
                               .unique_reference = unique_reference};
  if (at.settings->card_testing.on())
    command.render = [this, settings = at.settings, whose](const payments::payment& record) {
      gate_.answered(*settings, whose, record, world_.now().steady);
      return render_created(record);
    };
  at.own.create(std::move(command),
                [this, call = at.call](core::create_result result) { answer_created(call, std::move(result)); });
}

void api::answer_created(const endpoint_call& call, core::create_result result) const {
  switch (result.status) {
    case core::create_status::answered:
      return call.answer(json_answer(result.answer.status, std::move(result.answer.body)));
    case core::create_status::replayed: {
      if (result.answer.status == 0 && result.record) result.answer = render_created(*result.record);
      if (result.answer.status == 0) break;
      net::response replay = json_answer(result.answer.status, std::move(result.answer.body));
      replay.fields.emplace_back("Idempotency-Replayed", "true");
      return call.answer(std::move(replay));
    }
    case core::create_status::in_progress: return call.refuse(key_in_progress());
    case core::create_status::key_reused: return call.refuse(key_reused());
    case core::create_status::reference_taken:
      return call.refuse({problems::reference_taken,
                          "payment " + result.existing + " has this reference",
                          {{"reference", "is of a payment that is neither failed nor canceled"}},
                          {},
                          {}});
    case core::create_status::no_candidate: {
      problem made = make(problems::no_connector, "every connector of the policy is excluded; `exclusions` says why");
      if (result.excluded.empty()) made.detail = "no connector is configured for this payment";
      made.exclusions = std::move(result.excluded);
      return call.refuse(made);
    }
    case core::create_status::no_policy:
      return call.refuse(make(problems::no_policy, "add a policy that matches it, or one without conditions"));
    case core::create_status::rate_unavailable:
      return call.refuse(
          make(problems::rate_unavailable, "a policy compares amounts in two currencies, and there is no rate"));
    case core::create_status::unavailable:
      if (world_.draining && world_.draining())
        return call.refuse(retry_soon(make(problems::shutting_down, "nothing was sent; try again in a moment")));
      return call.refuse(retry_soon(make(problems::journal_unavailable, "nothing was sent; try again in a moment")));
  }
  endpoint_call failed = call;
  failed.failure = "the engine gave no answer for a replayed request";
  failed.refuse(make(problems::internal_error, "the request could not be completed"));
}

void api::list_payments(exchange& at) { at.read(reading_, &payment_reading::list); }
void api::get_payment(exchange& at) { at.read(reading_, &payment_reading::one); }
void api::get_attempts(exchange& at) { at.read(reading_, &payment_reading::attempts); }
void api::get_events(exchange& at) { at.read(reading_, &payment_reading::events); }
void api::get_decisions(exchange& at) { at.read(reading_, &payment_reading::decisions); }

}  // namespace turnout::api
