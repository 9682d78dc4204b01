// Reading payments: lists, cursors, selected fields, compression, entity tags.
#include <catch2/catch.hpp>

#include <zlib.h>

#include "house.hpp"
#include "proxy/api/compression.hpp"
#include "proxy/api/entity_tag.hpp"
#include "proxy/api/field_selection.hpp"
#include "proxy/api/list_cursor.hpp"
#include "proxy/api/payment_list.hpp"
#include "proxy/api/render.hpp"
#include "proxy/api/rfc3339.hpp"

namespace turnout::api {
namespace {

using namespace test;
using payments::payment_status;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string inflated(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

payments::payment sample(const char* id) {
  payments::payment made{.id = id, .merchant = "demo", .amount = {1250, *payments::currency::find("EUR")}};
  made.reference = "order-1";
  made.card.last4 = "4242";
  made.metadata = {{"cart", "77"}, {"a.b", "\u00e9\"\\\n"}};
  payments::attempt attempt{.id = "att_1", .connector = "alpha", .amount = made.amount};
  made.attempts = {attempt, attempt};
  made.attempts[1].id = "att_2";
  return made;
}

TEST_CASE("a list is filtered by everything that was asked") {
  house at;
  at.records.page.payments = {sample("pay_2"), sample("pay_1")};
  answer got = at.ask("GET", "/v1/payments", at.as("demo"));
  CHECK(got.status == 200);
  CHECK(got.text == "{\"object\":\"list\",\"data\":[" + render_payment(sample("pay_2")) + "," +
                        render_payment(sample("pay_1")) + "],\"next_cursor\":null}");
  CHECK(at.reports.back() == "GET /v1/payments 200");
  const core::payment_filter usual = *at.records.wanted;
  CHECK(usual.merchant == "demo");
  CHECK_FALSE(usual.livemode);
  CHECK(usual.limit == 20);
  CHECK(usual.before == std::numeric_limits<std::int64_t>::max());
  CHECK(usual.statuses.empty());
  CHECK_FALSE(usual.created_from);

  got = at.ask("GET",
               "/v1/payments?limit=100&status=failed,canceled&reference=caf%C3%A9+1&customer=cus_9&connector=beta"
               "&created_after=2026-11-20T12:00:00.5%2B01:00&created_before=2026-11-20T12:00:00.5Z&amount_min=0"
               "&amount_max=1000000000000000&currency=JPY",
               at.as("demo live"));
  CHECK(got.status == 200);
  const core::payment_filter& wanted = *at.records.wanted;
  CHECK(wanted.livemode);
  CHECK(wanted.limit == 100);
  CHECK(wanted.statuses == std::vector{payment_status::failed, payment_status::canceled});
  CHECK(wanted.reference == "caf\u00e9 1");
  CHECK(wanted.customer == "cus_9");
  CHECK(wanted.connector == "beta");
  CHECK(wanted.currency == "JPY");
  CHECK(wanted.amount_min == 0);
  CHECK(wanted.amount_max == 1'000'000'000'000'000);
  // Times are shown in whole seconds, and compared as they are shown.
  CHECK(wanted.created_from == noon() - hours(1) + seconds(1));
  CHECK(wanted.created_before == noon() + seconds(1));
  at.ask("GET", "/v1/payments?created_after=2026-11-20T12:00:00Z&created_before=2026-11-20T12:00:00Z", at.as("demo"));
  CHECK(at.records.wanted->created_from == noon() + seconds(1));
  CHECK(at.records.wanted->created_before == noon());
}

TEST_CASE("a list's bad parameters are named, all of them at once") {
  house at;
  for (const char* bad : {"limit=0",
                          "limit=101",
                          "limit=",
                          "limit=1.0",
                          "limit=-1",
                          "limit=+1",
                          "limit=%2B1",
                          "limit=x",
                          "limit=99999999999999999999",
                          "cursor=",
                          "cursor=x",
                          "status=",
                          "status=paid",
                          "status=failed,",
                          "status=failed,%20canceled",
                          "status=Failed",
                          "reference=",
                          "customer=",
                          "connector=",
                          "amount_min=1.5",
                          "amount_min=-1",
                          "amount_max=1000000000000001",
                          "amount_max=",
                          "currency=eur",
                          "currency=EURO",
                          "currency=ZZZ",
                          "created_after=",
                          "created_after=2026-11-20",
                          "created_after=yesterday",
                          "created_before=1700000000",
                          "fields=",
                          "fields=id,",
                          "fields=cvc",
                          "fields=id,,status",
                          "fields=error.",
                          "fields=card.number"}) {
    INFO(bad);
    const answer got = at.ask("GET", std::string("/v1/payments?") + bad, at.as("demo"));
    CHECK(got.status == 400);
    CHECK(got.code() == "invalid_request");
    CHECK(got.first_field() == std::string(bad).substr(0, std::string(bad).find('=')));
    CHECK(got.body.at("errors").as_array().size() == 1);
  }
  const auto first = [&](const std::string& query) {
    return at.ask("GET", "/v1/payments?" + query, at.as("demo")).first_field();
  };
  CHECK(first("amount_min=2&amount_max=1") == "amount_max");
  CHECK(first("created_after=2026-11-20T10:00:01Z&created_before=2026-11-20T10:00:00Z") == "created_before");
  CHECK(first("reference=" + std::string(101, 'x')) == "reference");
  CHECK(first("limit=1&limit=1") == "limit");
  CHECK(first("sort=id") == "sort");
  CHECK_FALSE(at.records.wanted);
  std::string longest;
  for (int n = 0; n < 100; ++n) longest += "%C3%A9";
  CHECK(at.ask("GET", "/v1/payments?reference=" + longest, at.as("demo")).status == 200);
  const answer all = at.ask("GET", "/v1/payments?limit=0&status=x&currency=x&cursor=x&fields=x", at.as("demo"));
  CHECK(all.body.at("errors").as_array().size() == 5);
}

TEST_CASE("an unknown parameter does not hide the faults of the others, and each is told once") {
  house at;
  const auto faults = [&](const std::string& target) {
    const answer got = at.ask("GET", target, at.as("demo"));
    INFO(target);
    CHECK(got.status == 400);
    std::string fields;
    for (const auto& each : got.body.at("errors").as_array()) fields += std::string(each.at("field").as_string()) + " ";
    return fields;
  };
  CHECK(faults("/v1/payments?colour=red&limit=0&status=paid&reference=%zz&created_after=now") ==
        "colour reference limit status created_after ");
  CHECK(faults("/v1/payments?limit=5&limit=0&currency=eur") == "limit currency ");
  CHECK(faults("/v1/payments?customer=%ff&amount_min=-1") == "customer amount_min ");
  CHECK(faults("/v1/payments/pay_1?colour=red&fields=shape") == "colour fields ");
  CHECK(faults("/v1/payments/pay_1/events?colour=red&limit=x") == "colour limit ");
  for (const char* part : {"attempts", "captures", "refunds"})
    CHECK(faults(std::string("/v1/payments/pay_1/") + part + "?limit=1&colour=red") == "limit colour ");
}

TEST_CASE("a cursor leads on, and is good for its list, merchant and mode only") {
  house at;
  at.records.page.next = 4711;
  const answer got = at.ask("GET", "/v1/payments?limit=1", at.as("demo"));
  const auto cursor = json::value_to<std::string>(got.body.at("next_cursor"));
  CHECK(at.ask("GET", "/v1/payments?cursor=" + cursor, at.as("demo")).status == 200);
  CHECK(at.records.wanted->before == 4711);
  CHECK(at.ask("GET", "/v1/payments", at.as("demo")).body.at("next_cursor").as_string() == cursor);
  const auto refused = [&](const std::string& text, const char* who) {
    const answer told = at.ask("GET", "/v1/payments?cursor=" + text, at.as(who));
    return told.status == 400 && told.first_field() == "cursor";
  };
  CHECK(refused(cursor, "other"));
  CHECK(refused(cursor, "demo live"));
  for (std::size_t n = 0; n < cursor.size(); ++n) {
    std::string changed = cursor;
    changed[n] = changed[n] == '0' ? '1' : '0';
    CHECK(refused(changed, "demo"));
  }
  CHECK(refused(cursor.substr(1), "demo"));
  CHECK(refused(cursor + "0", "demo"));
  std::string upper = cursor;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(refused(upper, "demo"));

  const list_cursors cursors(at.request_key), others(at.card_key);
  for (const std::int64_t position :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    const std::string text = cursors.write(demo, "list", position);
    CHECK(cursors.read(demo, "list", text) == position);
    CHECK_FALSE(cursors.read(demo, "lists", text));
    CHECK_FALSE(others.read(demo, "list", text));
    CHECK(text.find(std::to_string(position) + "0000") == std::string::npos);
  }
}

TEST_CASE("events and decisions come in pages") {
  house at;
  at.keep("pay_1", "demo", false);
  at.keep("pay_2", "demo", false);
  at.records.many = 250;
  for (const char* list : {"events", "decisions"}) {
    const std::string path = std::string("/v1/payments/pay_1/") + list;
    answer got = at.ask("GET", path, at.as("demo"));
    CHECK(got.body.at("data").as_array().size() == 100);
    std::string cursor = json::value_to<std::string>(got.body.at("next_cursor"));
    got = at.ask("GET", path + "?cursor=" + cursor, at.as("demo"));
    CHECK(got.body.at("data").as_array().size() == 100);
    const answer refused =
        at.ask("GET", std::string("/v1/payments/pay_2/") + list + "?cursor=" + cursor, at.as("demo"));
    CHECK(refused.first_field() == "cursor");
    cursor = json::value_to<std::string>(got.body.at("next_cursor"));
    got = at.ask("GET", path + "?limit=50&cursor=" + cursor, at.as("demo"));
    CHECK(got.body.at("data").as_array().size() == 50);
    CHECK(got.body.at("next_cursor").is_null());
    CHECK(at.ask("GET", path + "?limit=0", at.as("demo")).first_field() == "limit");
    CHECK(at.ask("GET", path + "?fields=id", at.as("demo")).first_field() == "fields");
  }
  const answer got = at.ask("GET", "/v1/payments/pay_1/events?limit=3", at.as("demo"));
  const answer next =
      at.ask("GET", "/v1/payments/pay_1/events?cursor=" + json::value_to<std::string>(got.body.at("next_cursor")),
             at.as("demo"));
  CHECK(next.body.at("data").at(0).at("code").as_string() == "3");
}

TEST_CASE("fields are selected, id and object are always there") {
  house at;
  at.records.payments.emplace("pay_1", sample("pay_1"));
  const auto shown = [&](const std::string& fields) {
    return at.ask("GET", "/v1/payments/pay_1?fields=" + fields, at.as("demo")).text;
  };
  CHECK(shown("id") == R"({"id":"pay_1","object":"payment"})");
  CHECK(shown("amount,status,amount") == R"({"id":"pay_1","object":"payment","status":"processing","amount":1250})");
  CHECK(shown("payment_method.card.last4") ==
        R"({"id":"pay_1","object":"payment","payment_method":{"card":{"last4":"4242"}}})");
  CHECK(shown("attempts.id") == R"({"id":"pay_1","object":"payment","attempts":[{"id":"att_1"},{"id":"att_2"}]})");
  CHECK(shown("error.code") == R"({"id":"pay_1","object":"payment","error":null})");
  CHECK(shown("metadata.a.b,metadata.none") == R"({"id":"pay_1","object":"payment","metadata":{"a.b":")"
                                               "\u00e9"
                                               R"(\"\\\n"}})");
  CHECK(shown("metadata,metadata.cart") == shown("metadata"));
  CHECK(shown("payment_method.type,payment_method") == shown("payment_method"));
  at.records.page.payments = {sample("pay_2"), sample("pay_1")};
  CHECK(at.ask("GET", "/v1/payments?fields=reference", at.as("demo")).text ==
        R"({"object":"list","data":[{"id":"pay_2","object":"payment","reference":"order-1"},)"
        R"({"id":"pay_1","object":"payment","reference":"order-1"}],"next_cursor":null})");
  CHECK(at.ask("GET", "/v1/payments/pay_1?fields=nothing", at.as("demo")).first_field() == "fields");
}

void check_names(const json::value& value, const std::string& path) {
  if (value.is_array())
    for (const json::value& each : value.get_array()) check_names(each, path);
  if (!value.is_object()) return;
  for (const auto& [name, member] : value.get_object()) {
    const std::string whole = path + std::string(name);
    INFO(whole);
    CHECK(is_payment_field(whole));
    check_names(member, whole + ".");
  }
}

TEST_CASE("every field that a payment shows can be selected") {
  payments::payment full = sample("pay_1");
  full.status = payment_status::requires_action;
  full.attempts[0].reason = payments::decline_reason::do_not_honor;
  full.attempts[0].code = full.attempts[0].gateway_code = full.attempts[0].gateway_reference = "x";
  full.attempts[0].reversal = payments::reversal_state::wanted;
  full.attempts[0].reversal_reason = "x";
  full.error = payments::payment_error{.code = "card_declined", .message = "x"};
  full.error->retry_after = seconds(1);
  full.attention = payments::attention{noon(), "x"};
  full.next_action.url = "https://example.com";
  full.next_action.form = true;
  full.next_action.fields = {{"PaReq", "x"}};
  full.action_expires_at = noon();
  full.authentication.emplace();
  full.authentication->version = full.authentication->eci = full.authentication->ds_transaction_id = "x";
  check_names(json::parse(render_payment(full)), "");
  full.status = payment_status::authorized;
  full.capture_before = noon();
  check_names(json::parse(render_payment(full)), "");
  CHECK_FALSE(is_payment_field("metadata."));
  CHECK_FALSE(is_payment_field("merchant"));
}

TEST_CASE("Accept-Encoding decides, with its weights") {
  const auto chosen = [](std::vector<const char*> lines, std::size_t bytes = 5000) {
    net::headers fields;
    for (const char* each : lines) fields.emplace_back("accept-encoding", each);
    return choose_coding(fields, bytes) == coding::gzip;
  };
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=1.0, *;q=0.5", "gzip;q=0.001", "*", "br, *;q=0.1",
                          "identity;q=0.5, gzip", "gzip;q=0.5, identity;q=0.5", "identity;q=0, gzip;q=0.1",
                          "gzip ; q=0.8", "gzip;Q=1", " , gzip ,", "*;q=0, gzip"}) {
    INFO(yes);
    CHECK(chosen({yes}));
  }
  for (const char* no :
       {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzip;q=0.4, identity",
        "identity, gzip;q=0.999", "gzip;q=2", "gzip;q=x", "gzip;level=1", "gzipped", "gzip;q=-1", "gzip;q="}) {
    INFO(no);
    CHECK_FALSE(chosen({no}));
  }
  CHECK_FALSE(chosen({}));
  CHECK(chosen({"br", "gzip"}));
  CHECK_FALSE(chosen({"gzip"}, 1023));
  CHECK(chosen({"gzip"}, 1024));
  CHECK(chosen({"gzip, identity;q=0"}, 10));
  CHECK(chosen({"gzip, *;q=0"}, 10));
}

TEST_CASE("large answers are compressed for who wants it, the rest never") {
  house at;
  for (int n = 0; n < 20; ++n) at.records.page.payments.push_back(sample("pay_1"));
  const net::response plain = at.ask_raw("GET", "/v1/payments", at.as("demo"));
  CHECK(only_header(plain.fields, "Vary").value == "Accept-Encoding");
  CHECK(only_header(plain.fields, "Content-Encoding").count == 0);
  for (int round = 0; round < 2; ++round) {  // the stream is used again
    const net::response small = at.ask_raw("GET", "/v1/payments", at.as("demo", {{"Accept-Encoding", "gzip"}}));
    CHECK(only_header(small.fields, "Content-Encoding").value == "gzip");
    CHECK(only_header(small.fields, "Vary").value == "Accept-Encoding");
    CHECK(only_header(small.fields, "Content-Type").value == "application/json");
    CHECK(small.body.size() * 4 < plain.body.size());
    CHECK(inflated(small.body) == plain.body);
  }
  const net::headers compressed{{"Accept-Encoding", "gzip"}};
  const net::response head = at.ask_raw("HEAD", "/v1/payments", at.as("demo", compressed));
  const net::response get = at.ask_raw("GET", "/v1/payments", at.as("demo", compressed));
  CHECK(head.body == get.body);  // the server sends its length only
  CHECK(only_header(head.fields, "Content-Encoding").value == "gzip");
  std::string many;
  for (int n = 0; n < 20; ++n) many += "unknown_" + std::string(60, static_cast<char>('a' + n)) + "&";
  const net::response refused = at.ask_raw("GET", "/v1/payments?" + many, at.as("demo", compressed));
  CHECK(refused.status == 400);
  CHECK(refused.body.size() > least_compressed);
  CHECK(only_header(refused.fields, "Content-Encoding").count == 0);
  net::headers create = at.as("demo", compressed);
  create.emplace_back("Content-Type", "application/json");
  CHECK(only_header(at.ask_raw("POST", "/v1/payments", create, good_body).fields, "Content-Encoding").count == 0);
}

TEST_CASE("an unchanged payment is not sent again") {
  house at;
  at.records.payments.emplace("pay_1", sample("pay_1"));
  at.records.payments.at("pay_1").metadata.emplace_back("long", std::string(1000, 'x'));
  const auto ask = [&](std::string target, net::headers more = {}, std::string method = "GET") {
    return at.ask_raw(method, target, at.as("demo", std::move(more)));
  };
  const std::string path = "/v1/payments/pay_1";
  const net::response first = ask(path);
  const std::string tag(only_header(first.fields, "ETag").value);
  CHECK(tag.size() == 34);
  CHECK(tag.front() == '"');
  CHECK(only_header(ask(path).fields, "ETag").value == tag);
  CHECK(only_header(ask(path, {}, "HEAD").fields, "ETag").value == tag);
  for (const std::string& same :
       {tag, "W/" + tag, "\"a\", " + tag, "\"a,b\",W/\"c\"," + tag + ",\"d\"", std::string("*")})
    for (const char* method : {"GET", "HEAD"}) {
      INFO(same);
      const net::response got = ask(path, {{"If-None-Match", same}}, method);
      CHECK(got.status == 304);
      CHECK(got.body.empty());
      CHECK(only_header(got.fields, "ETag").value == tag);
      CHECK(only_header(got.fields, "Vary").value == "Accept-Encoding");
      CHECK(only_header(got.fields, "Cache-Control").value == "no-store");
      CHECK(only_header(got.fields, "Content-Type").count == 0);
    }
  CHECK(ask(path, {{"If-None-Match", "\"a\""}, {"If-None-Match", tag}}).status == 304);
  for (const std::string& other : {std::string("\"a\""), tag.substr(1), tag.substr(0, 33), "w/" + tag, std::string(),
                                   "\"a, " + tag.substr(1), std::string("\"*\"")}) {
    INFO(other);
    CHECK(ask(path, {{"If-None-Match", other}}).status == 200);
  }
  // Another representation: other bytes, another tag.
  const net::response compressed = ask(path, {{"Accept-Encoding", "gzip"}});
  CHECK(only_header(compressed.fields, "Content-Encoding").value == "gzip");
  CHECK(only_header(compressed.fields, "ETag").value != tag);
  CHECK(ask(path, {{"Accept-Encoding", "gzip"}, {"If-None-Match", tag}}).status == 200);
  const std::string small(only_header(compressed.fields, "ETag").value);
  const net::response again = ask(path, {{"Accept-Encoding", "gzip"}, {"If-None-Match", small}});
  CHECK(again.status == 304);
  CHECK(only_header(again.fields, "Content-Encoding").count == 0);
  CHECK(ask(path + "?fields=id", {{"If-None-Match", tag}}).status == 200);
  CHECK(ask("/v1/payments/pay_9", {{"If-None-Match", "*"}}).status == 404);
  at.records.payments.at("pay_1").status = payment_status::succeeded;
  CHECK(ask(path, {{"If-None-Match", tag}}).status == 200);
}

TEST_CASE("RFC 3339 times") {
  const auto at = [](std::string_view text) { return parse_rfc3339(text); };
  for (const char* same : {"2026-11-20T12:00:00Z", "2026-11-20t12:00:00z", "2026-11-20T12:00:00.000Z",
                           "2026-11-20T13:30:00+01:30", "2026-11-20T13:30:00 01:30", "2026-11-19T23:00:00-13:00",
                           "2026-11-20T12:00:00-00:00", "2026-11-20T11:59:60Z"}) {
    INFO(same);
    CHECK(at(same) == noon());
  }
  CHECK(at("2026-11-20T12:00:00.25Z") == noon() + milliseconds(250));
  CHECK(at("2026-11-20T12:00:00.1234567891Z") == noon() + std::chrono::nanoseconds(123456789));
  CHECK(at("2028-02-29T00:00:00Z"));
  CHECK(at("0001-01-01T00:00:00Z") == payments::wall_time());
  CHECK(at("9999-12-31T23:59:59Z") > at("2200-12-31T23:59:59Z"));
  for (const char* bad : {"",
                          "2026",
                          "2026-11-20",
                          "2026-11-20T12:00Z",
                          "2026-11-20T12:00:00",
                          "2026-11-20 12:00:00Z",
                          "2026-11-20T12:00:00.Z",
                          "2026-11-20T24:00:00Z",
                          "2026-11-20T12:60:00Z",
                          "2026-11-20T12:00:61Z",
                          "2026-02-29T00:00:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-11-00T00:00:00Z",
                          "2026-11-20T12:00:00+24:00",
                          "2026-11-20T12:00:00+01:60",
                          "2026-11-20T12:00:00+0100",
                          "2026-11-20T12:00:00Zx",
                          "+026-11-20T12:00:00Z",
                          "2026-11-20T12:00:00,5Z",
                          "1763640000"}) {
    INFO(bad);
    CHECK_FALSE(at(bad));
  }
}

}  // namespace
}  // namespace turnout::api
