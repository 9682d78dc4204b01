#include "connectors/profile_loader.hpp"

#include <algorithm>

namespace turnout::connectors {
namespace {

using payments::connector_profile;
using payments::operation;
using std::chrono::milliseconds;

/// Beyond it a gateway that hangs would hold a payment for longer than any shopper waits.
constexpr milliseconds longest_timeout{60'000};
/// Percent of the amount; more is a typing mistake.
constexpr double largest_percent = 100;
constexpr std::int64_t largest_fee = 1'000'000'000;
constexpr int largest_exponent = 4;
/// A second; beyond it there is no limit to speak of.
constexpr std::int64_t most_resolving_sends = 100'000;
/// An amount of 10^15 minor units times 10^3 still fits into 64 bits.
constexpr int most_extra_decimals = 3;

const std::vector<std::string_view>& common_currencies() {
  static const std::vector<std::string_view> codes{
      "EUR", "USD", "GBP", "JPY", "KWD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "CAD", "AUD",
      "NZD", "SGD", "HKD", "CNY", "INR", "BRL", "MXN", "ZAR", "TRY", "AED", "SAR", "BHD", "KRW", "CLP", "ISK"};
  return codes;
}

std::vector<std::string_view> brand_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < payments::card_brand_count; ++i) {
    const auto brand = static_cast<payments::card_brand>(i);
    if (brand != payments::card_brand::unknown) names.push_back(to_string(brand));
  }
  return names;
}

/// A list that must be given and must have items.
std::vector<settings::value> some_items(const settings::value& in) {
  auto items = in.items();
  if (in.is_list() && items.empty()) in.error("'" + in.name() + "' must not be empty");
  return items;
}

void load_fee_amounts(const settings::value& in, std::vector<payments::money>& into) {
  for (const settings::entry& each : in.entries()) {
    const auto unit = read_currency(each.key_value, each.key);
    const auto minor = each.item.integer(0, largest_fee);
    if (unit && minor) into.push_back({*minor, *unit});
  }
}

bool has_proof(const connector_profile& profile) noexcept {
  return (profile.resolve.replay && profile.idempotency.replay_is_proof()) ||
         (profile.resolve.inquire && profile.resolve.not_found_final_after) ||
         (profile.resolve.reverse && profile.resolve.reverse_blocks_late);
}

}  // namespace

std::optional<payments::currency> read_currency(const settings::value& where, std::string_view code) {
  const auto unit = payments::currency::find(code);
  if (unit) return unit;
  const std::string_view near = settings::nearest(code, common_currencies());
  where.error("unknown currency '" + std::string(code.substr(0, 20)) + "'" +
              (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?") +
              " allowed: ISO 4217 codes in capital letters");
  return std::nullopt;
}

void load_merchants(const settings::value& in, connector_profile& into) {
  for (const settings::value& each : some_items(in)) {
    auto name = each.text();
    if (!name) continue;
    if (*name == "*")
      each.error("'*' is not allowed: name every merchant whose money this account may take");
    else
      into.merchants.push_back(std::move(*name));
  }
}

void load_capabilities(const settings::value& in, connector_profile& into) {
  const settings::fields block(in,
                               {"methods", "currencies", "brands", "capture", "multiple_captures", "authentication"});
  for (const settings::value& each : some_items(block.required("methods")))
    if (auto method = each.one_of({"card"})) into.methods.push_back(std::move(*method));
  for (const settings::value& each : some_items(block.required("currencies")))
    if (const auto code = each.text())
      if (const auto unit = read_currency(each, *code)) into.currencies.push_back(*unit);
  for (const settings::value& each : some_items(block.required("brands")))
    if (const auto name = each.one_of(brand_names())) into.brands.push_back(*payments::parse_card_brand(*name));
  for (const settings::value& each : some_items(block.required("capture"))) {
    const auto word = each.one_of({"automatic", "manual"});
    into.capture_automatic = into.capture_automatic || word == "automatic";
    into.capture_manual = into.capture_manual || word == "manual";
  }
  for (const settings::value& each : block.optional("authentication").items()) {
    const auto word = each.one_of({"external", "challenge"});
    into.takes_authentication = into.takes_authentication || word == "external";
    into.may_challenge = into.may_challenge || word == "challenge";
  }
  into.multiple_captures = block.optional("multiple_captures").boolean().value_or(false);
}

void load_fees(const settings::value& in, connector_profile& into) {
  const settings::fields block(in, {"percent", "fixed", "per_attempt"});
  into.fees.percent = block.optional("percent").number(0, largest_percent).value_or(0);
  load_fee_amounts(block.optional("fixed"), into.fees.fixed);
  load_fee_amounts(block.optional("per_attempt"), into.fees.per_attempt);
}

void load_timeouts(const settings::value& in, connector_profile& into) {
  const settings::fields block(in, {"connect", "response"});
  auto& out = into.timeouts;
  out.connect = block.optional("connect").duration(milliseconds(1), longest_timeout).value_or(out.connect);
  out.response = block.optional("response").duration(milliseconds(1), longest_timeout).value_or(out.response);
}

void load_exponents(const settings::value& in, exponents& into) {
  for (const settings::entry& each : in.entries()) {
    const auto unit = read_currency(each.key_value, each.key);
    if (!unit) continue;
    // Fewer decimals than the standard's could not tell every amount exactly.
    const int standard = unit->exponent();
    const auto decimals = each.item.integer(standard, std::min(largest_exponent, standard + most_extra_decimals));
    if (decimals) into.set(*unit, static_cast<int>(*decimals));
  }
}

void load_refunds(const settings::value& in, connector_profile& into) {
  if (!in) return;
  using payments::unsettled_refund;
  const settings::fields block(in, {"unsettled", "settles_after"});
  payments::refund_profile& out = into.refunds;
  const settings::value unsettled = block.optional("unsettled"), after = block.optional("settles_after");
  const auto word = unsettled.choice<unsettled_refund>({{"allowed", unsettled_refund::allowed},
                                                        {"wait", unsettled_refund::wait},
                                                        {"void_if_full", unsettled_refund::void_if_full}});
  if (unsettled && !word) return;
  out.unsettled = word.value_or(unsettled_refund::allowed);
  if (after)
    out.settles_after = std::chrono::duration_cast<std::chrono::seconds>(
        after.duration(std::chrono::seconds(1)).value_or(milliseconds(0)));
  const bool waits = out.unsettled != unsettled_refund::allowed;
  if (waits && !after)
    in.error("'unsettled: " + unsettled.raw() +
             "' needs 'settles_after': how long after its capture a charge has settled");
  if (!waits && after) after.error("'settles_after' needs 'unsettled: wait' or 'unsettled: void_if_full'");
}

void load_authorization_valid(const settings::value& in, connector_profile& into) {
  if (!in) return;
  if (const auto valid = in.duration(std::chrono::seconds(1)))
    into.authorization_valid = std::chrono::duration_cast<std::chrono::seconds>(*valid);
}

void load_resolve(const settings::value& in, connector_profile& into) {
  const settings::fields block(in, {"methods", "not_found_final_after", "replay_for", "reverse_blocks_late",
                                    "gateway_reference_is_charge", "accept_unprovable", "sends_per_second"});
  payments::resolve_profile& out = into.resolve;
  for (const settings::value& each : block.optional("methods").items()) {
    const auto method = each.one_of({"replay", "inquire", "reverse"});
    out.replay = out.replay || method == "replay";
    out.inquire = out.inquire || method == "inquire";
    out.reverse = out.reverse || method == "reverse";
  }
  if (const auto after = block.optional("not_found_final_after"); after && after.raw() != "never")
    out.not_found_final_after = after.duration(milliseconds(1));
  out.replay_for = block.optional("replay_for").duration(milliseconds(1)).value_or(milliseconds(0));
  out.reverse_blocks_late = block.optional("reverse_blocks_late").boolean().value_or(false);
  out.gateway_reference_is_charge = block.optional("gateway_reference_is_charge").boolean().value_or(false);
  out.accept_unprovable = block.optional("accept_unprovable").boolean().value_or(false);
  if (const auto rate = block.optional("sends_per_second").integer(1, most_resolving_sends))
    out.sends_per_second = static_cast<double>(*rate);
}

void check_promises(const settings::value& resolve, const settings::value& whole, const connector_profile& profile) {
  const settings::value& where = resolve.is_map() ? resolve : whole;
  const payments::resolve_profile& promised = profile.resolve;
  settings::value methods = where, final_after = where, replay_for = where, blocks_late = where;
  for (const settings::entry& each : resolve.is_map() ? resolve.entries() : std::vector<settings::entry>()) {
    if (each.key == "methods") methods = each.item;
    if (each.key == "not_found_final_after") final_after = each.item;
    if (each.key == "replay_for") replay_for = each.item;
    if (each.key == "reverse_blocks_late") blocks_late = each.item;
  }
  for (const auto& [listed, needed] :
       {std::pair(promised.inquire, operation::inquire), std::pair(promised.reverse, operation::reverse)})
    if (listed && !profile.offers(needed))
      methods.error("resolve method '" + std::string(to_string(needed)) + "' needs operations." +
                    std::string(to_string(needed)));
  if (promised.replay) {
    if (!profile.idempotency.replay_is_proof())
      methods.error(
          "resolve method 'replay' needs idempotency with caches: all or success and with in_flight: conflict or "
          "wait; otherwise a replay could charge a second time");
    if (promised.replay_for.count() == 0)
      where.error("resolve method 'replay' needs 'replay_for': how long a replay is safe, at most idempotency.ttl");
    if (promised.replay_for > profile.idempotency.ttl)
      replay_for.error("'replay_for' must not be longer than idempotency.ttl: an expired key charges a second time");
  } else if (promised.replay_for.count() != 0) {
    replay_for.error("'replay_for' needs 'replay' in resolve.methods");
  }
  if (promised.not_found_final_after && !promised.inquire)
    final_after.error("'not_found_final_after' needs 'inquire' in resolve.methods");
  if (promised.reverse_blocks_late && !promised.reverse)
    blocks_late.error("'reverse_blocks_late' needs 'reverse' in resolve.methods");
  if (!has_proof(profile) && !promised.accept_unprovable)
    where.error(
        "nothing here can prove that an unknown attempt did not charge; declare a replay, "
        "not_found_final_after or reverse_blocks_late, or say accept_unprovable: true");
}

}  // namespace turnout::connectors
