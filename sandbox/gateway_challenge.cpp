// A charge that its shopper must confirm: until then it is no operation and in
// no ledger. A reversal of its reference ends the wait and blocks it for ever.
#include <chrono>

#include "sandbox/charge_id.hpp"
#include "sandbox/gateway.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace {

constexpr std::string_view pages = "/challenge/";
constexpr std::string_view right_code = "123456";

std::int64_t unix_ms(const payments::instant& now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count();
}

charge_view view_of(const challenge& waiting) {
  charge_view view;
  view.number = waiting.charge;
  view.reference = waiting.asked.reference;
  view.amount = payments::money{waiting.asked.amount.value(), waiting.asked.unit.value()};
  view.challenge_url = waiting.url;
  view.challenge_proof = waiting.proof;
  return view;
}

}  // namespace

bool gateway::is_challenge_page(std::string_view target) noexcept { return target.starts_with(pages); }

std::string gateway::page_root(const net::request& message, std::string_view target) {
  std::string root = "http://";
  root += net::find_header(message.fields, "host");
  root += message.target.substr(0, message.target.size() - target.size());
  return root.append(pages);
}

void gateway::begin_challenge(const call& asked, std::uint64_t digest, const answerer& to,
                              const payments::instant& now) {
  challenge made;
  made.asked = asked;
  made.digest = digest;
  made.charge = around_.book.next_charge();
  made.at_ms = unix_ms(now);
  const std::string id = charge_id(charge_prefixes[traits_.index], made.charge);
  made.url = asked.page_root + id;
  made.proof = charge_id("cr_", mix(around_.book.salt(), id));
  answer_charge(traits_.speech->charged(view_of(challenges_.add(std::move(made)))), to, now);
}

bool gateway::settled_by_challenge(const call& asked, std::uint64_t digest, const answerer& to,
                                   const payments::instant& now) {
  const challenge* const waiting = challenges_.by_reference(asked.reference);
  if (!waiting) return false;
  const bool same_key = traits_.memory != key_memory::none && !asked.key.empty() && asked.key == waiting->asked.key;
  if (!same_key)
    refuse_charge(asked, digest, refusal::duplicate_reference, to, now);
  else if (digest != waiting->digest)
    refuse(refusal::key_mismatch, to, now);
  else
    answer_charge(traits_.speech->charged(view_of(*waiting)), to, now);
  return true;
}

bool gateway::inquired_challenge(const call& asked, const answerer& to, const payments::instant& now) {
  const challenge* const waiting = challenges_.by_reference(asked.reference);
  if (!waiting) return false;
  if (unix_ms(now) - waiting->at_ms < control_.inquiry_lag_ms)
    refuse(refusal::not_found, to, now, asked.reference);
  else
    answer(traits_.speech->inquired(view_of(*waiting)), to, now);
  return true;
}

void gateway::show_challenge(const net::request& message, std::string_view target, const answerer& to,
                             const payments::instant& now) {
  const std::string_view id = split(target).path.substr(pages.size());
  const challenge* const waiting = challenges_.by_number(charge_number(charge_prefixes[traits_.index], id).value_or(0));
  if (!waiting) return answer(plain_page(404, "<p>Nothing waits here: it is over, or never was.</p>"), to, now);
  const bool posted = message.method == "POST";
  if (!posted && message.method != "GET") return answer(plain_page(405, "<p>GET or POST</p>"), to, now);
  const std::string result = posted ? query_value(message.body, "result").value_or("") : "";
  if (!result.empty()) return end_challenge(*waiting, result, query_value(message.body, "code").value_or(""), to, now);
  // Where the page is posted to, the browser must bring what the answer gave it.
  const bool brought = posted && query_value(message.body, "creq") == waiting->proof;
  if (traits_.posted_challenge && !brought) return answer(plain_page(400, "<p>Post creq to this page.</p>"), to, now);
  answer(challenge_page(*waiting), to, now);
}

void gateway::end_challenge(const challenge& waiting, std::string_view result, std::string_view code,
                            const answerer& to, const payments::instant& now) {
  if (result != "approve" && result != "fail" && result != "cancel")
    return answer(plain_page(400, "<p>result is approve, fail or cancel.</p>"), to, now);
  const challenge ended = waiting;
  challenges_.remove(ended.asked.reference);
  operation what;
  what.kind = ended.asked.operation;
  what.at_ms = unix_ms(now);
  what.reference = ended.asked.reference;
  what.key = ended.asked.key;
  what.digest = ended.digest;
  what.charge = ended.charge;
  what.amount = ended.asked.amount.value();
  what.unit = ended.asked.unit;
  call decided = ended.asked;
  const bool passed = result == "approve" && (code.empty() || code == right_code);
  decided.forced = passed ? payments::decline_reason::none : payments::decline_reason::authentication_failed;
  decide(decided, what);
  books_.record(what);
  net::response away = plain_page(303, "<p>Back to the shop.</p>");
  away.fields.emplace_back("Location", ended.asked.return_url);
  answer(std::move(away), to, now);
}

}  // namespace turnout::sandbox
