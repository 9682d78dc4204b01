// The file that keeps what the router has learned: whatever becomes of it, a
// start goes on.
#include "proxy/server/routing_state.hpp"

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "proxy/api/private_file.hpp"
#include "scratch_directory.hpp"

using namespace turnout;
using namespace turnout::server;

namespace {

payments::instant at(int seconds) {
  return {payments::steady_time(std::chrono::hours(1) + std::chrono::seconds(seconds)),
          payments::wall_time(std::chrono::hours(24 * 20'000) + std::chrono::seconds(seconds))};
}

struct half final : payments::random_source {
  std::uint64_t next() override { return std::uint64_t{1} << 63U; }
};

/// A router that has seen alpha approve and beta decline.
std::unique_ptr<routing::router> taught() {
  auto router = routing::create_router();
  for (const char* name : {"alpha", "beta"}) router->declare(name);
  const payments::money amount{1250, *payments::currency::find("EUR")};
  const routing::request payment{.merchant = "demo", .method = "card", .bin = "424242", .amount = amount};
  half draw;
  for (int i = 0; i < 200; ++i) {
    const bool first = i % 2 == 0;
    const std::vector<routing::candidate> only{{.connector = first ? "alpha" : "beta", .charged = amount}};
    const routing::decision made = router->choose(payment, {}, only, {}, at(i), draw);
    router->on_sent(payment, made, at(i));
    payments::send_result result;
    result.answered = true;
    result.result = first ? payments::outcome::approved : payments::outcome::soft_decline;
    if (!first) result.reason = payments::decline_reason::do_not_honor;
    result.latency = payments::milliseconds(80);
    router->observe(payment, made, result, at(i));
  }
  return router;
}

double approval(const routing::router& of, std::string_view connector, int seconds) {
  for (const routing::connector_view& each : of.view(at(seconds)))
    if (each.connector == connector) return each.approval;
  FAIL("no such connector");
  return 0;
}

struct saved_state {
  scratch_directory directory;
  std::string file = directory / "journal.db.routing";
  std::vector<std::string> failures;
  core::shared_routing routing{taught(), policies::retry_budget(.2, 1)};

  void save() {
    routing_state_saver saver(file, routing, [this](const std::string& why) { failures.push_back(why); });
    saver.finish(at(200));
  }
  std::string bytes() const { return api::read_private_file(file).value(); }
  std::string refusal() const {
    const auto fresh = routing::create_router();
    fresh->declare("alpha");
    const double before = approval(*fresh, "alpha", 201);
    const restored_state done = restore_routing(file, *fresh, at(201));
    CHECK(done.found);
    CHECK(approval(*fresh, "alpha", 201) == Approx(before));
    return done.refused;
  }
};

}  // namespace

TEST_CASE("the file is the journal's, and only its owner's") {
  CHECK(routing_state_file("var/journal.db") == "var/journal.db.routing");
  saved_state kept;
  kept.save();
  struct stat seen {};
  REQUIRE(::stat(kept.file.c_str(), &seen) == 0);
  CHECK((seen.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(kept.file + ".new"));
}

TEST_CASE("what was learned is there after a restart") {
  saved_state kept;
  kept.save();
  const auto fresh = routing::create_router();
  for (const char* name : {"beta", "alpha", "gamma"}) fresh->declare(name);
  const restored_state done = restore_routing(kept.file, *fresh, at(201));
  CHECK(done.found);
  CHECK(done.refused.empty());
  CHECK(approval(*fresh, "alpha", 201) > .9);
  CHECK(approval(*fresh, "beta", 201) < .3);
  kept.routing.with([&](routing::router& before, policies::retry_budget&) {
    CHECK(approval(*fresh, "alpha", 201) == Approx(approval(before, "alpha", 201)).margin(.01));
  });
}

TEST_CASE("a damaged file is refused whole, with a reason") {
  saved_state kept;
  kept.save();
  const std::string good = kept.bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{20}, good.size() / 2, good.size() - 1}) {
    INFO(size);
    api::replace_private_file(kept.file, good.substr(0, size));
    CHECK_FALSE(kept.refusal().empty());
  }
  for (std::size_t place = 0; place < good.size(); place += 1 + good.size() / 200) {
    INFO(place);
    std::string flipped = good;
    flipped[place] = static_cast<char>(flipped[place] ^ 1);
    api::replace_private_file(kept.file, flipped);
    CHECK_FALSE(kept.refusal().empty());
  }
  api::replace_private_file(kept.file, good + "x");
  CHECK_FALSE(kept.refusal().empty());
}

TEST_CASE("no file is no fault, a file that cannot be read is told") {
  scratch_directory directory;
  const auto router = routing::create_router();
  CHECK_FALSE(restore_routing(directory / "none", *router, at(0)).found);
  const restored_state unreadable = restore_routing(directory.path(), *router, at(0));
  CHECK(unreadable.found);
  CHECK_FALSE(unreadable.refused.empty());
}

TEST_CASE("a save that fails is told, and leaves what was there") {
  saved_state kept;
  kept.save();
  const std::string before = kept.bytes();
  std::filesystem::create_directory(kept.file + ".new");
  kept.save();
  REQUIRE(kept.failures.size() == 1);
  CHECK(kept.failures.front().find(".new") != std::string::npos);
  CHECK(kept.bytes() == before);
}

TEST_CASE("saving goes on in the background and is over when the saver is gone") {
  saved_state kept;
  {
    routing_state_saver saver(kept.file, kept.routing, [&](const std::string& why) { kept.failures.push_back(why); });
    for (int i = 0; i < 50; ++i) saver.begin(at(200 + i));
  }
  CHECK(kept.failures.empty());
  const auto fresh = routing::create_router();
  fresh->declare("alpha");
  CHECK(restore_routing(kept.file, *fresh, at(300)).refused.empty());
  CHECK(approval(*fresh, "alpha", 300) > .9);
}
