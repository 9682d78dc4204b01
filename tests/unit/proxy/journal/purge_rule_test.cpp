// Both clocks are numbers here.
#include <catch2/catch.hpp>

#include "proxy/journal/purge_rule.hpp"

using namespace std::chrono_literals;
using turnout::journal::purge_rule;
namespace payments = turnout::payments;

namespace {

struct host {
  purge_rule rule{48h, 10min};
  purge_rule::uptime up{};
  payments::wall_time wall{std::chrono::hours(24 * 365 * 50)};

  std::optional<purge_rule::scope> after(std::chrono::minutes passed) {
    std::optional<purge_rule::scope> last;
    for (; passed > 0min; passed -= 1min) up += 1min, wall += 1min, last = rule.look(up, wall);
    return last;
  }
  std::optional<purge_rule::scope> step(std::chrono::minutes by) { return wall += by, rule.look(up, wall); }
};

}  // namespace

TEST_CASE("nothing is purged in the warm-up, and keys of this start only after the retention") {
  host machine;
  CHECK_FALSE(machine.step(0min));
  CHECK_FALSE(machine.after(9min));
  const auto warm = machine.after(1min);
  REQUIRE(warm);
  CHECK_FALSE(warm->this_start);
  CHECK(warm->made_before == machine.wall - 48h);
  CHECK_FALSE(machine.after(47h + 49min)->this_start);
  CHECK(machine.after(1min)->this_start);
}

TEST_CASE("after a step forward every key waits for the retention") {
  for (const auto up : {1min, 20min, std::chrono::minutes(100h)}) {
    INFO(up.count());
    host machine;
    machine.step(0min);
    machine.after(up);
    CHECK_FALSE(machine.step(72h));
    CHECK_FALSE(machine.after(47h + 59min));
    const auto later = machine.after(1min);
    REQUIRE(later);
    CHECK(later->this_start);
  }
}

TEST_CASE("a slewed clock and a step back do not hold the purge up") {
  host machine;
  machine.step(0min);
  for (int minute = 0; minute < 60; ++minute) machine.wall += 1s, machine.after(1min);
  REQUIRE(machine.after(1min));
  const auto back = machine.step(-72h);
  REQUIRE(back);
  CHECK(back->made_before == machine.wall - 48h);
}
