#include "worlds.hpp"

namespace turnout::routing::simulator::test {

using Catch::Contains;

TEST_CASE("every world of the benchmark loads, and its worlds are as the study has them") {
  for (const char* name : {"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "H1", "H2", "H3", "H4", "H5", "H6",
                           "H7", "H8", "H9", "H10"})
    CHECK(shipped_world(name).name == name);
  const world mixed = shipped_world("S9");
  CHECK(mixed.gateways.front().count == 6);
  CHECK(mixed.traffic.tps == 30);
  CHECK(mixed.traffic.seconds == 5400);
  CHECK(mixed.retry.max_attempts == 3);
  CHECK(mixed.declines.effects.size() == 6);
  CHECK(mixed.drift.amplitude == .4);
  CHECK(mixed.events.size() == 5);
  CHECK_FALSE(mixed.timeouts_are_final);
  CHECK(shipped_world("H1").timeouts_are_final);
}

TEST_CASE("what a file does not say is as in the file that it extends") {
  settings::problems found;
  const auto read = read_text({{"w.yaml", header + "extends: base/b.yaml\ntraffic: {tps: 7}\n"},
                               {"base/b.yaml", "version: 1\nworld: b\nextends: c.yaml\ntraffic: {duration: 60s}\n"},
                               {"base/c.yaml", "version: 1\nworld: c\ngateways: 3\ntimeouts_are_final: true\n"}},
                              found);
  REQUIRE(read);
  CHECK(read->name == "w");
  CHECK(read->traffic.tps == 7);
  CHECK(read->traffic.seconds == 60);
  CHECK(read->gateways.front().count == 3);
  CHECK(read->timeouts_are_final);
}

TEST_CASE("files that extend each other in a circle, or a file that is not there, are problems") {
  settings::problems found;
  CHECK_FALSE(read_text({{"w.yaml", header + "extends: w.yaml\n"}}, found));
  REQUIRE_FALSE(found.empty());
  CHECK_THAT(found.front().to_string(), Contains("w.yaml:3:10: error: files extend each other more than 8 deep"));
  found.clear();
  CHECK_FALSE(read_text({{"w.yaml", header + "extends: gone.yaml\n"}}, found));
  REQUIRE(found.size() == 2);
  CHECK_THAT(found.front().to_string(), Contains("gone.yaml: error: cannot be read"));
  CHECK_THAT(found.back().to_string(), Contains("w.yaml:3:10: error: 'gone.yaml', which this extends"));
}

TEST_CASE("a mistake is named with its position and what was meant") {
  CHECK_THAT(problem_of("gateways: 2\ntrafic: {tps: 1}\n"),
             Contains("w.yaml:4:1: error: unknown key 'trafic'; did you mean 'traffic'?"));
  CHECK_THAT(problem_of("gateways: 2\ntraffic: {tps: fast}\n"), Contains("w.yaml:4:16: error:"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {base: [4%, 2%]}\n"), Contains("[least, most]"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {effects: {isuer: 0.1}}\n"),
             Contains("w.yaml:4:30: error: unknown effect 'isuer'; did you mean 'issuer'?"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {effects: {issuer_issuer: 0.1}}\n"),
             Contains("unknown effect"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {effects: {brand: [0.1]}}\n"), Contains("one value for each"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {reasons: {do_not_honour: 1%}}\n"),
             Contains("did you mean 'do_not_honor'?"));
  CHECK_THAT(problem_of("gateways: 2\ngateway_declines: {reasons: {gateway_error: 1%}}\n"),
             Contains("is a technical failure, not a decline"));
  CHECK_THAT(problem_of("gateways: 2\nretry: {on: [unknown]}\n"), Contains("'unknown' cannot be in 'on'"));
  CHECK_THAT(problem_of("gateways: 2\ntraffic: {tps: 100000, duration: 1d}\n"), Contains("more than 50 million"));
  CHECK_THAT(problem_of("gateways: 64\ncontext: {issuers: 20000}\n"), Contains("at most 8 million"));
  CHECK_THAT(problem_of("traffic: {tps: 1}\n"), Contains("'gateways' is missing"));
  CHECK_THAT(problem_of("gateways: 2\ntraffic: {daily: [1, 2]}\n"), Contains("24 hours"));
}

TEST_CASE("gateways and events are checked") {
  CHECK_THAT(problem_of("gateways: [{name: a}, {name: a}]\n"), Contains("two gateways are named 'a'"));
  CHECK_THAT(problem_of("gateways: [{name: a, count: 2}]\n"), Contains("leave out 'count'"));
  CHECK_THAT(problem_of("gateways: [{appears: 2m, disappears: 1m}]\n"), Contains("later than 'appears'"));
  CHECK_THAT(problem_of("gateways: 2\nevents: [{type: outage, duration: 1m, strength: 90%, gateways: g3}]\n"),
             Contains("did you mean"));
  CHECK_THAT(problem_of("gateways: 2\nevents: [{type: outages, duration: 1m, strength: 90%}]\n"),
             Contains("did you mean 'outage'?"));
  CHECK_THAT(problem_of("gateways: 2\nevents: [{type: outage, duration: 1m, strength: 90%, over: brand}]\n"),
             Contains("'over' is for a segment_outage only"));
  CHECK_THAT(problem_of("gateways: 2\nevents: [{type: outage, strength: 90%}]\n"), Contains("duration"));
}

TEST_CASE("the world that docs/simulate.md shows loads") {
  std::ifstream in(TURNOUT_SOURCE_DIR "/docs/simulate.md");
  std::ostringstream page;
  page << in.rdbuf();
  const std::string text = page.str();
  const std::size_t begin = text.find("```yaml\n") + 8;
  settings::problems found;
  const auto read = read_text({{"w.yaml", text.substr(begin, text.find("```", begin) - begin)}}, found);
  for (const auto& problem : found) FAIL_CHECK(problem.to_string());
  REQUIRE(read);
  CHECK(read->gateways.size() == 2);
}

TEST_CASE("the schema offers every reason that a world's declines may have") {
  std::ifstream in(TURNOUT_SOURCE_DIR "/conf/schema/world.json");
  std::ostringstream text;
  text << in.rdbuf();
  for (const payments::decline_info& info : payments::decline_table())
    CHECK_THAT(text.str(), Contains('"' + std::string(info.name) + '"'));
}

}  // namespace turnout::routing::simulator::test
