#include <catch2/catch.hpp>

#include <boost/json.hpp>

#include "fixtures.hpp"
#include "proxy/api/json_text.hpp"
#include "proxy/api/render.hpp"

namespace turnout::api {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

payments::wall_time ten_o_clock() { return test::noon() - 2h; }

payments::money euros(std::int64_t minor) { return {minor, *payments::currency::find("EUR")}; }

payments::attempt make_attempt(const char* id, const char* connector, payments::outcome ended, int latency) {
  payments::attempt made{.id = id, .connector = connector, .amount = euros(1250)};
  made.in_flight = false;
  made.outcome = ended;
  made.latency = std::chrono::milliseconds(latency);
  made.started_at = ten_o_clock();
  return made;
}

payments::payment succeeded() {
  payments::payment record{.id = "pay_1", .merchant = "demo", .amount = euros(1250)};
  record.status = payments::payment_status::succeeded;
  record.amount_authorized = record.amount_captured = 1250;
  record.card = {payments::card_brand::visa, "424242", "4242", 12, 2030, "fingerprint"};
  record.reference = "order-1001";
  record.connector = "beta";
  record.attempts.push_back(make_attempt("att_1", "alpha", payments::outcome::not_sent, 1003));
  record.attempts[0].code = "connect_timeout";
  record.attempts.push_back(make_attempt("att_2", "beta", payments::outcome::approved, 84));
  record.attempts[1].gateway_reference = "ch_1";
  record.metadata = {{"cart", "77"}};
  record.created_at = ten_o_clock();
  record.updated_at = ten_o_clock() + 1999ms;
  return record;
}

TEST_CASE("a payment looks as the contract says") {
  CHECK(
      render_payment(succeeded()) ==
      R"({"id":"pay_1","object":"payment","livemode":false,"status":"succeeded","amount":1250,"currency":"EUR",)"
      R"("amount_authorized":1250,"amount_captured":1250,"amount_refunded":0,"reference":"order-1001","connector":"beta",)"
      R"("payment_method":{"type":"card","card":{"brand":"visa","bin":"424242","last4":"4242","exp_month":12,"exp_year":2030}},)"
      R"("attempts":[{"id":"att_1","connector":"alpha","operation":"sale","outcome":"not_sent","code":"connect_timeout",)"
      R"("latency_ms":1003,"started_at":"2026-11-20T10:00:00Z"},)"
      R"({"id":"att_2","connector":"beta","operation":"sale","outcome":"approved","gateway_reference":"ch_1",)"
      R"("latency_ms":84,"started_at":"2026-11-20T10:00:00Z"}],)"
      R"("conversion":null,"next_action":null,"attention":null,"error":null,"metadata":{"cart":"77"},)"
      R"("created_at":"2026-11-20T10:00:00Z","updated_at":"2026-11-20T10:00:01Z"})");
  CHECK(render_created(succeeded()).status == 201);
}

TEST_CASE("a declined payment tells why and what to do") {
  payments::payment record = succeeded();
  record.status = payments::payment_status::failed;
  record.amount_authorized = record.amount_captured = 0;
  record.connector.clear();
  record.attempts.clear();
  payments::payment_error error{.code = "card_declined", .message = "Not enough money."};
  error.reason = payments::decline_reason::insufficient_funds;
  error.group = payments::decline_class::issuer_soft;
  error.advice = payments::advice::retry_later;
  error.retry_after = 3600s;
  error.connector = "alpha";
  error.gateway_code = "51";
  record.error = error;
  const std::string text = render_payment(record);
  CHECK(text.find(R"("connector":null,)") != std::string::npos);
  CHECK(text.find(R"("attempts":[],)") != std::string::npos);
  CHECK(
      text.find(
          R"("error":{"code":"card_declined","message":"Not enough money.","reason":"insufficient_funds",)"
          R"("class":"issuer_soft","advice":"retry_later","retry_after":3600,"connector":"alpha","gateway_code":"51"})") !=
      std::string::npos);
  CHECK(render_created(record).status == 201);

  record.error = payments::payment_error{.code = "interrupted", .message = "m"};
  CHECK(render_payment(record).find(R"("error":{"code":"interrupted","message":"m","reason":null,"class":null,)"
                                    R"("advice":null,"connector":null,"gateway_code":null})") != std::string::npos);
}

TEST_CASE("a payment under way shows what is known") {
  payments::payment record = succeeded();
  record.status = payments::payment_status::processing;
  record.attempts[1].in_flight = true;
  record.attempts[0].reversal = payments::reversal_state::wanted;
  record.attempts[0].reversal_reason = "resolve";
  record.attempts[0].reason = payments::decline_reason::gateway_error;
  record.attempts[0].gateway_code = "E1";
  record.attention = payments::attention{ten_o_clock(), "unresolved_for_long"};
  const std::string text = render_payment(record);
  CHECK(text.find(R"("outcome":null,"gateway_reference":"ch_1","latency_ms":null)") != std::string::npos);
  CHECK(text.find(R"("code":"connect_timeout","reason":"gateway_error","gateway_code":"E1","reversal":"wanted",)"
                  R"("reversal_reason":"resolve","latency_ms":1003)") != std::string::npos);
  CHECK(text.find(R"("attention":{"since":"2026-11-20T10:00:00Z","reason":"unresolved_for_long"})") !=
        std::string::npos);
  CHECK(render_created(record).status == 202);
}

TEST_CASE("an action is shown while it is required") {
  payments::payment record = succeeded();
  record.next_action.url = "https://bank.example/3ds?a=\"b\"";
  CHECK(render_payment(record).find(R"("next_action":null)") != std::string::npos);
  record.status = payments::payment_status::requires_action;
  CHECK(render_payment(record).find(R"("next_action":{"type":"redirect","url":"https://bank.example/3ds?a=\"b\""})") !=
        std::string::npos);
  CHECK(render_created(record).status == 201);
  record.next_action.form = true;
  record.next_action.fields = {{"creq", "e\"yJ"}, {"session", ""}};
  record.action_expires_at = record.created_at;
  CHECK(render_payment(record).find(
            R"("next_action":{"type":"form","url":"https://bank.example/3ds?a=\"b\"","method":"POST",)"
            R"("fields":{"creq":"e\"yJ","session":""},"expires_at":"2026-11-20T10:00:00Z"})") != std::string::npos);
}

TEST_CASE("what the merchant brought of an authentication is shown without its cryptogram") {
  payments::payment record = succeeded();
  CHECK(render_payment(record).find("\"authentication\"") == std::string::npos);
  record.authentication = payments::authentication{"2.2.0", "05", "c4e59ceb-a382-4d6a-bc87-385d591fa09d"};
  CHECK(render_payment(record).find(R"("authentication":{"version":"2.2.0","eci":"05",)"
                                    R"("ds_transaction_id":"c4e59ceb-a382-4d6a-bc87-385d591fa09d"})") !=
        std::string::npos);
}

TEST_CASE("texts come back exactly") {
  payments::payment record = succeeded();
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "é€\xf0\x9f\x92\xb3\xe2\x80\xa8";
  record.reference = all;
  record.metadata = {{"z", ""}, {all, all}, {"a", "1"}};
  const json::value read = json::parse(render_payment(record));
  CHECK(read.at("reference").as_string() == json::string_view(all));
  REQUIRE(read.at("metadata").as_object().size() == 3);
  auto each = read.at("metadata").as_object().begin();
  CHECK(each->key() == "z");
  ++each;
  CHECK(each->key() == json::string_view(all));
  CHECK(each->value().as_string() == json::string_view(all));
}

TEST_CASE("an unset reference is null, empty metadata an empty object") {
  payments::payment record = succeeded();
  record.reference.clear();
  record.metadata.clear();
  const json::value read = json::parse(render_payment(record));
  CHECK(read.at("reference").is_null());
  CHECK(read.at("metadata").as_object().empty());
}

TEST_CASE("neither fingerprint nor merchant nor customer is shown") {
  payments::payment record = succeeded();
  record.buyer = {"cus_secret", "secret@example.com", "DE"};
  const std::string text = render_payment(record);
  for (const char* hidden : {"fingerprint", "demo", "cus_secret", "secret@example.com"})
    CHECK(text.find(hidden) == std::string::npos);
}

TEST_CASE("lists") {
  CHECK(render_events({}) == R"({"object":"list","data":[],"next_cursor":null})");
  CHECK(
      render_events({{payments::payment_event_type::created, ten_o_clock(), "", ""},
                     {payments::payment_event_type::attempt_ended, ten_o_clock() + 1s, "att_1", "approved"}}) ==
      R"({"object":"list","data":[{"type":"created","at":"2026-11-20T10:00:00Z","attempt":null,"code":null},)"
      R"({"type":"attempt_ended","at":"2026-11-20T10:00:01Z","attempt":"att_1","code":"approved"}],"next_cursor":null})");
  CHECK(render_decisions({R"({"id":1})", R"({"id":2})"}) ==
        R"({"object":"list","data":[{"id":1},{"id":2}],"next_cursor":null})");
  const json::value attempts = json::parse(render_attempts(succeeded()));
  CHECK(attempts.at("data").as_array().size() == 2);
  CHECK(attempts.at("next_cursor").is_null());
}

TEST_CASE("times are RFC 3339 in UTC") {
  const auto text = [](payments::wall_time at) {
    std::string out;
    append_time(out, at);
    return out;
  };
  CHECK(text(payments::wall_time{}) == "\"1970-01-01T00:00:00Z\"");
  CHECK(text(std::chrono::sys_days{std::chrono::year{2028} / 2 / 29} + 23h + 59min + 59s + 999ms) ==
        "\"2028-02-29T23:59:59Z\"");
  CHECK(text(payments::wall_time{} - 1ms) == "\"1969-12-31T23:59:59Z\"");
}

}  // namespace
}  // namespace turnout::api
