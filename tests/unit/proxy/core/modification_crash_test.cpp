// Merchants ask for several things at once, gateways misbehave, and the process
// crashes after every step in turn: ledger, journal and answers agree in the end.
#include "modifying_world.hpp"

using namespace turnout::core;
using namespace turnout;

namespace {

/// A merchant who sends each request until it has an answer, and remembers what was told.
struct merchant {
  struct request {
    modification_kind kind;
    std::optional<std::int64_t> amount;
    bool last = true;  ///< of a capture: final
    slot answer{};
    std::vector<modify_result> told{};
  };
  std::vector<request> requests;

  modify_command wish(const modifying_world& world, std::size_t at) const {
    modify_command made = world.modification(requests[at].kind, requests[at].amount, "key" + std::to_string(at),
                                             "mac" + std::to_string(at));
    made.wish.final_capture = requests[at].last;
    return made;
  }
  void ask(modifying_world& world, std::size_t at) { requests[at].answer = world.modify(wish(world, at)); }
  void listen() {
    for (request& each : requests)
      if (each.answer && *each.answer) {
        each.told.push_back(**each.answer);
        each.answer.reset();
      }
  }
  /// Everything that was told holds, and says the same when it is asked again.
  void audit(modifying_world& world) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      INFO("request " << i);
      const modify_result now = world.now(wish(world, i), 10s);
      for (const modify_result& told : requests[i].told) {
        if (told.status != modify_status::answered && told.status != modify_status::replayed) continue;
        REQUIRE(now.status == modify_status::replayed);
        CHECK(now.answer.status == 201);
        if (told.answer.status == 201) CHECK(now.answer.body == told.answer.body);
        const std::string id = told.answer.body.substr(0, told.answer.body.find(' '));
        CHECK(now.answer.body.starts_with(id));
      }
    }
  }
};

struct scenario {
  const char* name;
  payments::capture_mode mode;
  std::vector<merchant::request> requests;
  std::function<void(payments::connector_profile&)> change = {};
};

std::vector<scenario> scenarios() {
  const auto no_sale = [](payments::connector_profile& made) { std::erase(made.operations, operation::sale); };
  const auto no_keys = [](payments::connector_profile& made) { made.idempotency = {}; };
  const auto voids = [](payments::connector_profile& made) {
    made.refunds = {payments::unsettled_refund::void_if_full, 1h};
  };
  return {{"captures and refunds", manual, {{capture, 400, false}, {refund, 300}, {capture, 850}, {refund, {}}}},
          {"capture beside cancel", manual, {{capture, {}}, {cancellation, {}}}},
          {"cancel beside capture", manual, {{cancellation, {}}, {capture, {}}}},
          {"the rest is canceled", manual, {{capture, 400, false}, {cancellation, {}}, {refund, 400}}},
          {"automatic, without sale", automatic, {{refund, 500}, {refund, 750}}, no_sale},
          {"refunds without keys", automatic, {{refund, 500}, {refund, 750}, {refund, 1}}, no_keys},
          {"void for refund", automatic, {{refund, {}}, {refund, {}}}, voids}};
}

/// `steps` of it happen, then the process crashes; false when it was over before.
bool crash_after(int steps, const scenario& what, const std::vector<behaviour>& fates) {
  modifying_world world(what.mode, what.change);
  world.gateways.honours_keys = std::string_view(what.name).find("without keys") == std::string_view::npos;
  world.plan().assign(fates.begin(), fates.end());
  merchant shop{what.requests};
  bool asked = false, crashed = false;
  const steady_time end = world.clock.now().steady + 20min;
  for (int step = 0; world.clock.now().steady < end; ++step) {
    if (step == steps) {
      shop.listen();
      world.crash();
      for (merchant::request& each : shop.requests) each.answer.reset();
      crashed = true;
      for (std::size_t i = 0; asked && i < shop.requests.size(); ++i) shop.ask(world, i);
    }
    if (!asked && world.records.durable.size() == 1 && is_final(world.only().status)) {
      asked = true;
      for (std::size_t i = 0; i < shop.requests.size(); ++i) shop.ask(world, i);
    }
    if (!world.clock.step()) break;
    shop.listen();
  }
  if (world.records.durable.empty()) return crashed;
  world.settle();
  shop.listen();
  for (const merchant::request& each : shop.requests) CHECK_FALSE(each.answer);
  world.agree();
  if (asked) shop.audit(world);
  world.settle();
  world.agree();
  return crashed;
}

}  // namespace

TEST_CASE("a crash after any step contradicts nothing and forgets nothing", "[modification][crash]") {
  using b = behaviour;
  const std::vector<std::vector<behaviour>> all_fates{{},
                                                      {b::charge_then_stall, b::approve, b::charge_then_stall},
                                                      {b::drop, b::drop, b::approve, b::drop},
                                                      {b::refuse, b::charge_then_stall, b::refuse, b::decline},
                                                      {b::decline, b::approve, b::drop, b::decline},
                                                      {b::late, b::approve, b::late}};
  for (const scenario& what : scenarios())
    for (std::size_t fates = 0; fates < all_fates.size(); ++fates)
      for (int steps = 1; steps < 400; ++steps) {
        INFO(what.name << ", fates " << fates << ", crash after step " << steps);
        if (!crash_after(steps, what, all_fates[fates])) break;
      }
}
