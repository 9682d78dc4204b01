// A sandbox that is killed keeps its truth.
#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "sandbox/charge_id.hpp"
#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

namespace {
/// A name in a folder of its own, removed at the end.
struct scratch {
  scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sandbox-ledger-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    file = (folder / "ledger.jsonl").string();
  }
  ~scratch() { std::filesystem::remove_all(folder); }
  std::string read() const {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const std::string& text) const { std::ofstream(file, std::ios::trunc) << text; }
  std::filesystem::path folder;
  std::string file;
};
}  // namespace

TEST_CASE("ledger file: everything is rebuilt") {
  scratch at;
  std::string ledger, sale, declined;
  std::string hold_id;
  {
    counter c(at.file);
    sale = c.alpha("att_1", "k1")->reply->body;
    const auto hold = c.alpha("att_2", "k2", 500, good_card, false);
    hold_id = hold->body().at("id").as_string();
    c.send("POST", "/alpha/v1/charges/" + hold_id + "/capture", R"({"amount":300})", {{"Idempotency-Key", "cap"}});
    c.alpha_reverse("att_3");
    c.beta("b\"1\\", "bk");
    c.gamma("g1");
    c.control("alpha", R"({"approval_rate":0,"declines":{"lost_card":1}})");
    declined = c.alpha("att_4", "k4")->reply->body;
    c.alpha("att_4", "k4");
    c.send("DELETE", "/gamma/api/transactions/g1");
    ledger = c.send("GET", "/_ledger")->reply->body;
  }
  counter c(at.file);
  CHECK(c.send("GET", "/_ledger")->reply->body == ledger);
  CHECK(c.alpha("att_1", "k1")->reply->body == sale);
  CHECK(c.alpha("att_1", "k1", 7)->status() == 422);
  CHECK(c.alpha("att_4", "k4")->reply->body == declined);
  CHECK(c.alpha("att_3", "k3")->body().at("error").at("code") == "reference_reversed");
  CHECK(c.alpha_inquiry("att_2")->body().at("status") == "succeeded");
  const std::string path = "/alpha/v1/charges/" + hold_id;
  CHECK(c.send("POST", path + "/capture", R"({"amount":300})", {{"Idempotency-Key", "cap"}})->status() == 200);
  CHECK(c.send("POST", path + "/refund", R"({"amount":301})")->status() == 400);
  CHECK(c.beta("b\"1\\", "bk")->body().at("result") == "APPROVED");
  CHECK(c.send("GET", "/gamma/api/transactions/g1")->body().at("transaction").at("state") == "cancelled");
  CHECK(c.gamma("g1")->body().at("fault").at("code") == "order_cancelled");
  const auto next = c.alpha("att_9", "k9");
  CHECK(next->body().at("id") != json::parse(sale).at("id"));
  CHECK(c.ledger().back().at("seq") == c.ledger().size());
}

TEST_CASE("ledger file: a torn last line is forgotten, whatever its length") {
  scratch at;
  {
    counter c(at.file);
    c.alpha("att_1", "k1");
    c.alpha("att_2", "k2");
  }
  const std::string whole = at.read();
  const auto second = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t cut = second; cut < whole.size(); cut += 7) {
    at.write(whole.substr(0, cut));
    {
      counter c(at.file);
      CHECK(c.ledger().size() == 1);
      CHECK(c.alpha("att_3", "k3")->status() == 200);
    }
    counter c(at.file);
    CHECK(c.ledger().size() == 2);
  }
  at.write(whole + std::string(50, '\0'));
  CHECK(counter(at.file).ledger().size() == 2);
}

TEST_CASE("ledger file: damage in the middle, another's file and a file in use are refused") {
  scratch at;
  {
    counter c(at.file);
    c.alpha("att_1", "k1");
    c.alpha("att_2", "k2");
    CHECK_THROWS_WITH(counter(at.file), Catch::Contains("in use"));
  }
  std::string text = at.read();
  text.replace(text.find("att_1"), 5, "\"\"\"\"\"");
  at.write(text);
  CHECK_THROWS_WITH(counter(at.file), Catch::Contains("line 2"));
  for (const char* other : {"root:x:0:0", "hello\n", "{}\n{}\n", "{\"kind\":\"sandbox\"}\n{}\n"}) {
    at.write(other);
    INFO(other);
    CHECK_THROWS(counter(at.file));
    CHECK(at.read() == other);
  }
  CHECK_THROWS(counter((at.folder / "none" / "x").string()));
  CHECK_THROWS(counter(at.folder.string()));
}

TEST_CASE("ledger file: nothing is answered, dropped or shown before it is synced") {
  scratch at;
  counter c(at.file);
  c.flush_at_once = false;
  const auto header = at.read();
  const auto sale = c.alpha("att_1", "k1");
  const auto inquiry = c.alpha_inquiry("att_1");
  const auto ledger = c.send("GET", "/_ledger");
  c.control("gamma", R"({"faults":{"charge_then_drop":1}})");
  const auto dropped = c.gamma("g1");
  CHECK_FALSE(sale->answered);
  CHECK_FALSE(inquiry->answered);
  CHECK_FALSE(ledger->answered);
  CHECK_FALSE(dropped->answered);
  CHECK(at.read() == header);
  REQUIRE(c.bank->waiting());
  c.bank->flush();
  CHECK(sale->status() == 200);
  CHECK(inquiry->status() == 200);
  CHECK(ledger->body().at("operations").as_array().size() == 1);
  CHECK(dropped->closed());
  CHECK_FALSE(c.bank->waiting());
}

TEST_CASE("ledger file: holds no card number and no CVC, also after a reset") {
  scratch at;
  counter c(at.file);
  c.alpha("att_1", "k1");
  c.beta("att_1", "k1");
  c.gamma("att_1");
  CHECK(at.read().find("4242") == std::string::npos);
  CHECK(at.read().find("cvc") == std::string::npos);
  c.send("POST", "/_reset");
  CHECK(json::parse(at.read()).at("kind") == "sandbox");
  c.control("alpha", R"({"latency_ms":0})");
  CHECK(c.alpha("att_1", "k1")->status() == 200);
}

TEST_CASE("charge ids are read back exactly") {
  using namespace turnout::sandbox;
  for (const std::uint64_t number :
       {std::uint64_t{1}, std::uint64_t{123456789}, ~std::uint64_t{0}, std::uint64_t{1} << 60}) {
    CHECK(charge_number("ch_", charge_id("ch_", number)) == number);
  }
  CHECK_FALSE(charge_number("ch_", "ch_000000000000"));
  CHECK_FALSE(charge_number("ch_", "bt_0000000000001"));
  CHECK_FALSE(charge_number("ch_", "ch_000000000000u"));
  CHECK_FALSE(charge_number("ch_", "ch_zzzzzzzzzzzzz"));
}
