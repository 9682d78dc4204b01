// The calls that control and show the gateways.
#include <catch2/catch.hpp>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

TEST_CASE("control: absent fields stay, GET shows all") {
  counter c;
  const auto full =
      R"({"approval_rate":0.9,"declines":{"do_not_honor":1,"stolen_card":0.5},"latency_ms":80,"latency_sigma":0.3,
    "outage":"error","faults":{"charge_then_drop":0.1,"charge_then_stall":0,"error_after_charge":0,"drop_before_charge":0,
    "rate_limited":0,"wrong_amount":0.25},"inquiry_lag_ms":5,"charge_delay_ms":6,"modification_faults":{"apply_then_drop":0.5,
    "apply_then_stall":0,"error_after_apply":0,"drop_before_apply":0,"rate_limited":0}})";
  const auto put = c.control("beta", full);
  CHECK(put->status() == 200);
  CHECK(put->body() == json::parse(full));
  CHECK(c.control("beta", "{}")->body() == json::parse(full));
  CHECK(c.control("beta", R"({"faults":{"rate_limited":1}})")->body().at("faults").at("charge_then_drop") == 0.1);
  CHECK(c.send("PATCH", "/_control/beta", R"({"latency_ms":0.5})")->body().at("latency_ms") == 0.5);
  CHECK(c.send("POST", "/_control/beta", R"({"outage":"none"})")->status() == 200);
  const auto seen = c.send("GET", "/_control/beta")->body();
  CHECK(seen.at("outage") == "none");
  CHECK(seen.at("approval_rate") == 0.9);
  CHECK(c.send("GET", "/_control/alpha")->body().at("approval_rate") == 1);
  CHECK(c.send("DELETE", "/_control/alpha")->status() == 405);
}

TEST_CASE("control: what is wrong is named, and nothing changes") {
  counter c;
  const auto before = c.send("GET", "/_control/alpha")->reply->body;
  struct bad {
    const char* body;
    const char* field;
  };
  const bad table[] = {{R"({"approval_rate":1.1})", "approval_rate"},
                       {R"({"approval_rate":-0.1})", "approval_rate"},
                       {R"({"approval_rate":"1"})", "approval_rate"},
                       {R"({"approval_rate":null})", "approval_rate"},
                       {R"({"approval_rate":1e999})", "approval_rate"},
                       {R"({"aproval_rate":1})", "aproval_rate"},
                       {R"({"modification_faults":{"apply_then_drop":2}})", "modification_faults.apply_then_drop"},
                       {R"({"modification_faults":{"charge_then_drop":0}})", "modification_faults.charge_then_drop"},
                       {R"({"modification_faults":1})", "modification_faults"},
                       {R"({"declines":{"nonsense":1}})", "declines.nonsense"},
                       {R"({"declines":{"none":1}})", "declines.none"},
                       {R"({"declines":{"":1}})", "declines."},
                       {R"({"declines":{}})", "declines"},
                       {R"({"declines":{"do_not_honor":0}})", "declines"},
                       {R"({"declines":{"do_not_honor":-1}})", "declines.do_not_honor"},
                       {R"({"declines":["do_not_honor"]})", "declines"},
                       {R"({"latency_ms":-1})", "latency_ms"},
                       {R"({"latency_ms":1e9})", "latency_ms"},
                       {R"({"latency_sigma":6})", "latency_sigma"},
                       {R"({"outage":"down"})", "outage"},
                       {R"({"outage":true})", "outage"},
                       {R"({"faults":{"charge_then_drop":2}})", "faults.charge_then_drop"},
                       {R"({"faults":{"drop":1}})", "faults.drop"},
                       {R"({"faults":[]})", "faults"},
                       {R"({"inquiry_lag_ms":1.5})", "inquiry_lag_ms"},
                       {R"({"charge_delay_ms":-1})", "charge_delay_ms"},
                       {R"({"charge_delay_ms":"5"})", "charge_delay_ms"},
                       {R"({"latency_ms":5,"outage":"none","x":1})", "x"},
                       {"", ""},
                       {"[]", ""},
                       {"{", ""}};
  for (const auto& each : table) {
    INFO(each.body);
    const auto refused = c.control("alpha", each.body);
    CHECK(refused->status() == 400);
    CHECK(refused->body().at("code") == "invalid_control");
    CHECK(refused->body().at("errors").at(0).at("field") == each.field);
    CHECK(net::find_header(refused->reply->fields, "content-type") == "application/problem+json");
    CHECK(c.send("GET", "/_control/alpha")->reply->body == before);
  }
}

TEST_CASE("control: refuse closes the listener, anything else opens it; a port that is gone changes nothing") {
  counter c;
  std::string calls, failure;
  c.bank->set_listener_switch([&](std::size_t gateway, bool open) {
    calls += std::to_string(gateway) + (open ? "+" : "-");
    return failure;
  });
  c.control("beta", R"({"outage":"refuse"})");
  c.control("beta", R"({"outage":"refuse"})");
  CHECK(calls == "1-");
  failure = "port taken";
  CHECK(c.control("beta", R"({"outage":"none"})")->status() == 500);
  CHECK(c.send("GET", "/_control/beta")->body().at("outage") == "refuse");
  failure.clear();
  c.control("beta", R"({"outage":"stall"})");
  c.control("beta", R"({"outage":"none"})");
  CHECK(calls == "1-1+1+");
  c.control("gamma", R"({"outage":"refuse"})");
  c.send("POST", "/_reset");
  CHECK(calls == "1-1+1+2-2+");
}

TEST_CASE("reset empties everything and draws the same again") {
  counter c;
  c.control("alpha", R"({"approval_rate":0.5,"charge_delay_ms":100})");
  const auto pending = c.alpha("att_1", "k1");
  c.alpha_reverse("att_2");
  CHECK(c.send("POST", "/_reset")->status() == 200);
  c.pass(1000);
  CHECK_FALSE(pending->reply);
  CHECK(c.ledger().empty());
  const auto control = c.send("GET", "/_control/alpha")->body();
  CHECK(control.at("approval_rate") == 1);
  CHECK(control.at("latency_ms") == 20);
  CHECK(control.at("charge_delay_ms") == 0);
  c.control("alpha", R"({"latency_ms":0})");
  CHECK(c.alpha("att_1", "k1", 999)->status() == 200);
  CHECK(c.alpha("att_2", "k2")->status() == 200);
  CHECK(c.ledger()[0].at("seq") == 1);
  CHECK(c.send("GET", "/_reset")->status() == 405);
}

TEST_CASE("the ledger has one order over all gateways, and filters") {
  counter c;
  c.alpha("a");
  c.beta("b", "b");
  c.gamma("g");
  c.alpha("a2");
  const auto all = c.ledger();
  REQUIRE(all.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(all[i].at("seq") == i + 1);
  CHECK(all[2].at("idempotency_key").is_null());
  CHECK(c.ledger("?gateway=alpha").size() == 2);
  CHECK(c.ledger("?since=2").size() == 2);
  CHECK(c.ledger("?since=2&gateway=alpha").size() == 1);
  CHECK(c.ledger("?since=99").empty());
  for (const char* query : {"?gateway=epsilon", "?since=x", "?since=-1", "?since=", "?since=1x"}) {
    CHECK(c.send("GET", std::string("/_ledger") + query)->status() == 400);
  }
  CHECK(c.send("POST", "/_ledger")->status() == 405);
}

TEST_CASE("the gateways are listed with their addresses") {
  counter c;
  c.bank->set_addresses("127.0.0.1", 9100, {9101, 9102, 9103, 9104});
  CHECK(c.send("GET", "/_gateways")->body() == json::parse(R"({"gateways":[
    {"name":"alpha","address":"127.0.0.1","port":9101,"url":"http://127.0.0.1:9101","path":"/alpha"},
    {"name":"beta","address":"127.0.0.1","port":9102,"url":"http://127.0.0.1:9102","path":"/beta"},
    {"name":"gamma","address":"127.0.0.1","port":9103,"url":"http://127.0.0.1:9103","path":"/gamma"},
    {"name":"delta","address":"127.0.0.1","port":9104,"url":"http://127.0.0.1:9104","path":"/delta"}],
    "port":9100,"url":"http://127.0.0.1:9100"})"));
}
