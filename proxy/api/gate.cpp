#include "proxy/api/gate.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "proxy/api/ip_address.hpp"

namespace turnout::api {

namespace {

/// Whole seconds, upwards.
std::string seconds(std::chrono::nanoseconds span) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(span).count());
}

problem too_many(const problem_kind& kind, std::string detail, std::chrono::nanoseconds retry_after) {
  problem made{kind, std::move(detail), {}, {}, {}};
  made.fields.emplace_back("Retry-After", seconds(std::max(retry_after, std::chrono::nanoseconds(1))));
  return made;
}

/// RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-10. The
/// quota is a full bucket, its window the time that filling it takes.
void add_rate_fields(net::headers& fields, const rate_limit& limit, const rate_verdict& verdict) {
  const auto window = static_cast<std::int64_t>(std::ceil(limit.burst / limit.per_second));
  fields.emplace_back("RateLimit-Policy",
                      "\"requests\";q=" + std::to_string(limit.burst) + ";w=" + std::to_string(window));
  fields.emplace_back("RateLimit",
                      "\"requests\";r=" + std::to_string(verdict.remaining) + ";t=" + seconds(verdict.full_after));
}

std::uint64_t first_64_bits(std::string_view hex) noexcept {
  std::uint64_t bits = 0;
  std::from_chars(hex.data(), hex.data() + std::min<std::size_t>(hex.size(), 16), bits, 16);
  return bits;
}

std::string client_name(std::string_view peer) {
  std::optional<std::string> network = network_of(peer);
  return network ? std::move(*network) : std::string(peer);
}

/// By subject: customer_cards, customer_declines, …
std::string_view reason_of(const testing_suspicion& what) noexcept {
  return limit_reasons[2 + 2 * static_cast<std::size_t>(what.per) + (what.declines ? 1 : 0)];
}

std::string_view described(testing_subject per) noexcept {
  switch (per) {
    case testing_subject::customer: return "this customer";
    case testing_subject::ip: return "this customer.ip";
    case testing_subject::key: break;
  }
  return "this API key";
}

}  // namespace

gate::gate(const keyed_mac& card_key, settings_pointer settings, limit_hook on_limited)
    : card_key_(card_key),
      settings_(settings ? std::move(settings) : std::make_shared<const api_settings>()),
      on_limited_(std::move(on_limited)),
      failures_(card_key.hex(std::string_view("clients that failed to authenticate"))) {}

void gate::configure(settings_pointer settings) { settings_.store(std::move(settings)); }

void gate::limited(std::string_view reason) const {
  if (on_limited_) on_limited_(reason);
}

std::optional<problem> gate::admit_client(const api_settings& in, std::string_view peer,
                                          payments::steady_time now) const {
  if (!in.failed_authentications.on()) return std::nullopt;
  const rate_verdict verdict = failures_.look(client_name(peer), in.failed_authentications, now);
  if (verdict.allowed) return std::nullopt;
  limited("failed_authentications");
  return too_many(problems::rate_limited, "too many requests from this address had a wrong API key",
                  verdict.retry_after);
}

void gate::authentication_failed(const api_settings& in, std::string_view peer, payments::steady_time now) {
  if (in.failed_authentications.on()) failures_.take(client_name(peer), in.failed_authentications, now);
}

std::optional<problem> gate::admit_request(const api_settings& in, const principal& who, endpoint_call& call) const {
  const rate_limit& limit = in.requests_of(who.merchant);
  if (!limit.on() || !who.state) return std::nullopt;
  const rate_verdict verdict = who.state->requests.take(limit, call.arrival.steady);
  add_rate_fields(call.fields, limit, verdict);
  if (verdict.allowed) return std::nullopt;
  limited("requests");
  return too_many(problems::rate_limited, "this API key asks more often than it may", verdict.retry_after);
}

testing_subjects gate::subjects_of(const api_settings& in, const principal& who, std::string_view customer,
                                   std::string_view shopper_network) const {
  testing_subjects whose{};
  if (!in.card_testing.on()) return whose;
  const auto digest = [&](testing_subject per, std::string_view name) {
    if (name.empty()) return;
    std::string text(name_of(per));  // begins with a letter: never a card's number
    for (const std::string_view part :
         {std::string_view(who.merchant), std::string_view(who.livemode ? "live" : "test"), name})
      text.append(1, '\0').append(part);
    whose[static_cast<std::size_t>(per)] = first_64_bits(card_key_.hex(text));
  };
  digest(testing_subject::customer, customer);
  digest(testing_subject::ip, shopper_network);
  digest(testing_subject::key, who.key_id);
  return whose;
}

std::optional<problem> gate::admit_card(const api_settings& in, const testing_subjects& whose,
                                        std::string_view card_fingerprint, payments::steady_time now,
                                        const std::function<bool()>& was_taken) {
  if (!in.card_testing.on()) return std::nullopt;
  const auto suspected = guard_.admit(in.card_testing, whose, first_64_bits(card_fingerprint), now);
  if (!suspected || was_taken()) return std::nullopt;
  limited(reason_of(*suspected));
  std::string detail(suspected->declines ? "too many declines for " : "too many different cards for ");
  detail.append(described(suspected->per)).append("; nothing was sent");
  // When the oldest sighting leaves the window is not kept; by then all have.
  return too_many(problems::card_testing_suspected, std::move(detail), in.card_testing.window);
}

void gate::answered(const api_settings& in, const testing_subjects& whose, const payments::payment& record,
                    payments::steady_time now) {
  if (record.status == payments::payment_status::failed && record.error && record.error->code == "card_declined")
    guard_.declined(in.card_testing, whose, now);
}

}  // namespace turnout::api
