// The way back from a challenge: whom it lets in, and where it sends them.
#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;
using payments::payment_status;
using std::chrono::hours;
using std::chrono::minutes;
using verdict = return_address::verdict;

const std::string public_url = "https://pay.example";

struct returning : house {
  std::string address;
  explicit returning(payment_status status = payment_status::succeeded,
                     std::string return_url = "https://shop.example/back?cart=7&x=%20#top") {
    keep("pay_1", "demo", false);
    records.payments.at("pay_1").status = status;
    records.payments.at("pay_1").return_url = std::move(return_url);
    address = returns.make(public_url, "pay_1", noon() + minutes(15)).substr(public_url.size());
  }
  std::string location() {
    const net::response got = visit("GET", address);
    CHECK(got.status == 303);
    return std::string(only_header(got.fields, "Location").value);
  }
};

TEST_CASE("an address is good for its payment and its time only") {
  const return_address returns(std::string(32, 'k'));
  const std::string made = returns.make(public_url, "pay_1", noon());
  const std::string start = public_url + "/v1/payments/pay_1/return?token=";
  REQUIRE(made.starts_with(start));
  const std::string token = made.substr(start.size());
  CHECK(returns.check("pay_1", token, noon()) == verdict::good);
  CHECK(returns.check("pay_1", token, noon() + hours(1)) == verdict::good);
  CHECK(returns.check("pay_1", token, noon() + hours(1) + std::chrono::seconds(1)) == verdict::expired);
  CHECK(returns.check("pay_2", token, noon()) == verdict::wrong);
  CHECK(return_address(std::string(32, 'j')).check("pay_1", token, noon()) == verdict::wrong);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == '1' ? '2' : '1';
    CHECK(returns.check("pay_1", other, noon()) == verdict::wrong);
  }
  for (const char* bad : {"", ".", "1.", ".a", "99999999999999999999.aa", "token"})
    CHECK(returns.check("pay_1", bad, noon()) == verdict::wrong);
  CHECK(returns.check("pay_1", token + "0", noon()) == verdict::wrong);
  CHECK(returns.check("pay_1", token.substr(0, token.size() - 1), noon()) == verdict::wrong);
  CHECK(returns.make(public_url, "pay_1", noon()) == made);
}

TEST_CASE("the result goes into the merchant's own query") {
  CHECK(with_result("https://a", "pay_1", "failed") == "https://a?payment=pay_1&status=failed");
  CHECK(with_result("https://a/b?", "p", "s") == "https://a/b?payment=p&status=s");
  CHECK(with_result("https://a/b?c=d", "p", "s") == "https://a/b?c=d&payment=p&status=s");
  CHECK(with_result("https://a/b?c=d&", "p", "s") == "https://a/b?c=d&payment=p&status=s");
  CHECK(with_result("https://a/b#f?g", "p", "s") == "https://a/b?payment=p&status=s#f?g");
}

TEST_CASE("a shopper is asked for and sent on") {
  returning at;
  CHECK(at.location() == "https://shop.example/back?cart=7&x=%20&payment=pay_1&status=succeeded#top");
  CHECK(at.shoppers == std::vector<std::string>{"pay_1"});
  CHECK(at.reports == std::vector<std::string>{"GET /v1/payments/{id}/return 303"});
  SECTION("again") { CHECK(at.location().find("status=succeeded") != std::string::npos); }
  SECTION("with what a gateway adds") {
    at.address += "&redirect_status=ok&token=again&return_url=https://evil.example";
    CHECK(at.location().starts_with("https://shop.example/"));
  }
  SECTION("by a form that a bank's page posts") {
    const net::response got = at.visit("POST", at.address, "cres=e30&return_url=https://evil.example");
    CHECK(got.status == 303);
    CHECK(only_header(got.fields, "Location").value.starts_with("https://shop.example/"));
  }
}

TEST_CASE("without a merchant's address there is a page") {
  for (const auto& [status, words] :
       {std::pair(payment_status::succeeded, "Payment accepted"),
        std::pair(payment_status::authorized, "Payment accepted"),
        std::pair(payment_status::failed, "Payment not made"), std::pair(payment_status::canceled, "Payment not made"),
        std::pair(payment_status::requires_action, "Payment in progress"),
        std::pair(payment_status::processing, "Payment in progress")}) {
    returning at(status, "");
    const net::response got = at.visit("GET", at.address);
    CHECK(got.status == 200);
    CHECK(only_header(got.fields, "Location").count == 0);
    CHECK(only_header(got.fields, "Content-Type").value == "text/html; charset=utf-8");
    CHECK(got.body.find(words) != std::string::npos);
  }
}

TEST_CASE("who has no good address learns nothing") {
  returning at;
  at.keep("pay_2", "demo", false);
  const std::string path = "/v1/payments/pay_1/return";
  const std::string other = "/v1/payments/pay_2/return" + at.address.substr(path.size());
  for (const std::string& bad :
       {path, path + "?token=", path + "?token=1.2", other, path + "?other=1", at.address + "0", path + "?token=%zz"}) {
    INFO(bad);
    const net::response got = at.visit("GET", bad);
    CHECK(got.status == 404);
    CHECK(got.body.find("pay_") == std::string::npos);
    CHECK(only_header(got.fields, "Location").count == 0);
  }
  at.wall += hours(2);
  const net::response late = at.visit("GET", at.address);
  CHECK(late.status == 410);
  CHECK(only_header(late.fields, "Location").count == 0);
  CHECK(at.shoppers.empty());
  at.wall -= hours(2);
  CHECK(at.visit("DELETE", at.address).status == 405);
  at.records.payments.clear();
  CHECK(at.visit("GET", at.address).status == 404);
}

}  // namespace
}  // namespace turnout::api
