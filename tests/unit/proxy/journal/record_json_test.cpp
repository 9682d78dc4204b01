// Every member of a record survives being written and read; a damaged text is
// an error that says where.
#include <catch2/catch.hpp>

#include "journal_fixture.hpp"
#include "proxy/journal/record_json.hpp"

using namespace journal_test;
using turnout::journal::damaged_record;
using turnout::journal::read_record;
using turnout::journal::write_record;

namespace {

std::string written(const payments::payment& record) {
  std::string text;
  write_record(record, text);
  return text;
}

payments::attempt full_attempt() {
  payments::attempt attempt = make_attempt("att_1");
  attempt.operation = payments::operation::authorize;
  attempt.amount = {-1, *payments::currency::find("JPY")};
  attempt.in_flight = false;
  attempt.outcome = payments::outcome::soft_decline;
  attempt.code = "declined";
  attempt.reason = payments::decline_reason::insufficient_funds;
  attempt.gateway_code = "51\n\t\"\\ \x01 \xff\xfe";
  attempt.gateway_reference = "ch_1";
  attempt.captured = true;
  attempt.reversal = payments::reversal_state::confirmed;
  attempt.reversal_reason = "wrong_amount";
  attempt.seen_approved = true;
  attempt.found_amount = 0;
  attempt.twin_of = "att_0";
  attempt.doubted = true;
  attempt.look_again_at = at(1'700'000'060'000'000'001);
  attempt.looks = 3;
  attempt.kept = {{"session", "a=\"b\"\xff"}, {"order", "7"}};
  attempt.sends = 7;
  attempt.latency = payments::milliseconds(84);
  attempt.started_at = at(1'700'000'000'123'456'789);
  attempt.ended_at = at(-5);
  return attempt;
}

payments::payment full_payment() {
  payments::payment record = make_payment("pay_full");
  record.livemode = true;
  record.status = payments::payment_status::requires_action;
  record.capture = payments::capture_mode::manual;
  record.amount_authorized = 1;
  record.amount_captured = 2;
  record.amount_refunded = payments::max_amount_minor;
  record.method = "wallet";
  record.card = {payments::card_brand::jcb, "353011", "0000", 2, 2031, "abcdef"};
  record.reference = std::string("nul\0inside", 10);
  record.buyer = {"cus_9", "a@example.com", "DE"};
  record.return_url = "https://shop.example/return?a=1&b=\"2\"";
  record.metadata = {{"z", "\xf0\x9f\x92\xb3 \xe2\x82\xac"}, {"a", ""}, {"", "x"}, {"z", "again"}};
  record.policy = "cards-eu";
  record.connector = "beta";
  record.attempts = {full_attempt(), make_attempt("att_2")};
  record.error = payments::payment_error{"card_declined",
                                         "The card was declined.",
                                         payments::decline_reason::do_not_honor,
                                         payments::decline_class::risk,
                                         payments::advice::contact_issuer,
                                         std::chrono::seconds(0),
                                         "beta",
                                         "05"};
  record.resolutions = {
      {"att_1", payments::verdict::charged, "ops", "seen in the \"portal\"", "ch_9", "unknown", "approved", at(55)},
      {"ref_1", payments::verdict::not_charged, "a", "b", "", "in_doubt", "failed", at(56)}};
  record.attention = payments::attention{at(77), "no_proof_available"};
  record.authentication = payments::authentication{"2.2.0", "05", "c4e59ceb-a382-4d6a-bc87-385d591fa09d"};
  record.next_action = {"https://acs.example/3ds", true, {{"creq", "e\"yJ0"}, {"session", ""}}};
  record.action_expires_at = at(99);
  record.action_expired = true;
  record.cancel_requested = record.answered = record.interrupted = true;
  record.expires_at = at(0);
  return record;
}

void check_attempt(const payments::attempt& a, const payments::attempt& b) {
  CHECK(a.id == b.id);
  CHECK(a.connector == b.connector);
  CHECK(a.operation == b.operation);
  CHECK(a.amount == b.amount);
  CHECK(a.in_flight == b.in_flight);
  CHECK(a.outcome == b.outcome);
  CHECK(a.code == b.code);
  CHECK(a.reason == b.reason);
  CHECK(a.gateway_code == b.gateway_code);
  CHECK(a.gateway_reference == b.gateway_reference);
  CHECK(a.captured == b.captured);
  CHECK(a.reversal == b.reversal);
  CHECK(a.reversal_reason == b.reversal_reason);
  CHECK(a.seen_approved == b.seen_approved);
  CHECK(a.found_amount == b.found_amount);
  CHECK(a.twin_of == b.twin_of);
  CHECK(a.doubted == b.doubted);
  CHECK(a.look_again_at == b.look_again_at);
  CHECK(a.looks == b.looks);
  CHECK(a.kept == b.kept);
  CHECK(a.sends == b.sends);
  CHECK(a.latency == b.latency);
  CHECK(a.started_at == b.started_at);
  CHECK(a.ended_at == b.ended_at);
}

void check_error(const payments::payment_error& a, const payments::payment_error& b) {
  CHECK(a.code == b.code);
  CHECK(a.message == b.message);
  CHECK(a.reason == b.reason);
  CHECK(a.group == b.group);
  CHECK(a.advice == b.advice);
  CHECK(a.retry_after == b.retry_after);
  CHECK(a.connector == b.connector);
  CHECK(a.gateway_code == b.gateway_code);
}

void check_payment(const payments::payment& a, const payments::payment& b) {
  CHECK(a.id == b.id);
  CHECK(a.merchant == b.merchant);
  CHECK(a.livemode == b.livemode);
  CHECK(a.status == b.status);
  CHECK(a.amount == b.amount);
  CHECK(a.capture == b.capture);
  CHECK(a.amount_authorized == b.amount_authorized);
  CHECK(a.amount_captured == b.amount_captured);
  CHECK(a.amount_refunded == b.amount_refunded);
  CHECK(a.method == b.method);
  CHECK(a.card.brand == b.card.brand);
  CHECK(a.card.bin == b.card.bin);
  CHECK(a.card.last4 == b.card.last4);
  CHECK(a.card.exp_month == b.card.exp_month);
  CHECK(a.card.exp_year == b.card.exp_year);
  CHECK(a.card.fingerprint == b.card.fingerprint);
  CHECK(a.resolutions.size() == b.resolutions.size());
  for (std::size_t i = 0; i < std::min(a.resolutions.size(), b.resolutions.size()); ++i) {
    CHECK(a.resolutions[i].target == b.resolutions[i].target);
    CHECK(a.resolutions[i].as == b.resolutions[i].as);
    CHECK(a.resolutions[i].by == b.resolutions[i].by);
    CHECK(a.resolutions[i].reason == b.resolutions[i].reason);
    CHECK(a.resolutions[i].gateway_reference == b.resolutions[i].gateway_reference);
    CHECK(a.resolutions[i].before == b.resolutions[i].before);
    CHECK(a.resolutions[i].after == b.resolutions[i].after);
    CHECK(a.resolutions[i].at == b.resolutions[i].at);
  }
  CHECK(a.reference == b.reference);
  CHECK(a.buyer.id == b.buyer.id);
  CHECK(a.buyer.email == b.buyer.email);
  CHECK(a.buyer.country == b.buyer.country);
  CHECK(a.return_url == b.return_url);
  CHECK(a.metadata == b.metadata);
  CHECK(a.policy == b.policy);
  CHECK(a.connector == b.connector);
  REQUIRE(a.attempts.size() == b.attempts.size());
  for (std::size_t i = 0; i < a.attempts.size(); ++i) check_attempt(a.attempts[i], b.attempts[i]);
  REQUIRE(a.error.has_value() == b.error.has_value());
  if (a.error) check_error(*a.error, *b.error);
  REQUIRE(a.attention.has_value() == b.attention.has_value());
  if (a.attention) {
    CHECK(a.attention->since == b.attention->since);
    CHECK(a.attention->reason == b.attention->reason);
  }
  REQUIRE(a.authentication.has_value() == b.authentication.has_value());
  if (a.authentication) {
    CHECK(a.authentication->version == b.authentication->version);
    CHECK(a.authentication->eci == b.authentication->eci);
    CHECK(a.authentication->ds_transaction_id == b.authentication->ds_transaction_id);
  }
  CHECK(a.next_action.url == b.next_action.url);
  CHECK(a.next_action.form == b.next_action.form);
  CHECK(a.next_action.fields == b.next_action.fields);
  CHECK(a.action_expires_at == b.action_expires_at);
  CHECK(a.action_expired == b.action_expired);
  CHECK(a.cancel_requested == b.cancel_requested);
  CHECK(a.answered == b.answered);
  CHECK(a.interrupted == b.interrupted);
  CHECK(a.expires_at == b.expires_at);
  CHECK(a.created_at == b.created_at);
  CHECK(a.updated_at == b.updated_at);
}

/// The text of a good record, changed in one place.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = written(full_payment());
  const auto where = text.find(from);
  REQUIRE(where != std::string::npos);
  return text.replace(where, from.size(), to);
}

}  // namespace

TEST_CASE("a record with every member set comes back the same") {
  const payments::payment record = full_payment();
  check_payment(record, read_record(written(record)));
}

TEST_CASE("a record with nothing but the least comes back the same") {
  const payments::payment record = make_payment("pay_x");
  check_payment(record, read_record(written(record)));
}

TEST_CASE("every word of every enum comes back the same") {
  for (int value = 0; value < static_cast<int>(payments::outcome_count); ++value) {
    payments::payment record = full_payment();
    record.attempts[0].outcome = static_cast<payments::outcome>(value);
    CHECK(read_record(written(record)).attempts[0].outcome == record.attempts[0].outcome);
  }
  for (const auto& info : payments::decline_table()) {
    payments::payment record = full_payment();
    record.attempts[0].reason = info.reason;
    record.error->group = info.group;
    record.error->advice = info.advice;
    const payments::payment back = read_record(written(record));
    CHECK(back.attempts[0].reason == info.reason);
    CHECK(back.error->group == info.group);
    CHECK(back.error->advice == info.advice);
  }
  for (int value = 0; value < static_cast<int>(payments::card_brand_count); ++value) {
    payments::payment record = full_payment();
    record.card.brand = static_cast<payments::card_brand>(value);
    CHECK(read_record(written(record)).card.brand == record.card.brand);
  }
  for (int value = 0; value <= static_cast<int>(payments::payment_event_type::resolved_by_person); ++value) {
    const auto type = static_cast<payments::payment_event_type>(value);
    CHECK(turnout::journal::read_event_type(to_string(type)) == type);
  }
}

TEST_CASE("a damaged record is an error that names the place") {
  const std::string good = written(full_payment());
  CHECK_NOTHROW(read_record(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_THROWS_AS(read_record(good.substr(0, size)), damaged_record);
  CHECK_THROWS_WITH(read_record(changed("\"v\":1", "\"v\":2")), Catch::Contains("v: not a version"));
  CHECK_THROWS_WITH(read_record(changed("\"v\":1,", "")), Catch::Contains("v: missing"));
  CHECK_THROWS_WITH(read_record(changed("\"status\":\"requires_action\"", "\"status\":\"paid\"")),
                    Catch::Contains("status: not a word"));
  CHECK_THROWS_WITH(read_record(changed("\"currency\":\"JPY\"", "\"currency\":\"XXQ\"")),
                    Catch::Contains("attempts[0].currency"));
  CHECK_THROWS_WITH(read_record(changed("\"sends\":7", "\"sends\":70000000000")),
                    Catch::Contains("attempts[0].sends: out of range"));
  CHECK_THROWS_WITH(read_record(changed("\"sends\":7", "\"sends\":7.5")), Catch::Contains("attempts[0].sends"));
  CHECK_THROWS_WITH(read_record(changed("\"policy\":", "\"polizei\":")), Catch::Contains("does not know"));
  CHECK_THROWS_WITH(read_record(changed("\"reversal\":\"confirmed\"", "\"reversal\":\"maybe\"")),
                    Catch::Contains("attempts[0].reversal"));
  CHECK_THROWS_AS(read_record("[]"), damaged_record);
  CHECK_THROWS_AS(read_record("{}"), damaged_record);
}
