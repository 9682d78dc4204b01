#pragma once
// The parts of a world's YAML, each read on its own into what a file that it
// extends has left there: a key that is not given changes nothing.
#include "routing/simulator/world.hpp"
#include "settings/reader.hpp"

namespace turnout::routing::simulator {

/// A number, or [low, high]; `least` and `most` bound both.
std::optional<range> read_numbers(const settings::value& from, double least, double most);
/// The same in percent: "3%" or [2.5%, 4.5%]; as shares.
std::optional<range> read_percents(const settings::value& from);
/// The same in durations: 10s or [120s, 600s]; in seconds.
std::optional<range> read_durations(const settings::value& from);
std::optional<double> read_seconds(const settings::value& from);
/// {do_not_honor: 85%, do_not_retry: 15%}: weights.
void read_reasons(const settings::value& from, std::vector<reason_share>& into);
/// {issuer: 0.35, issuer_brand: 0.25, amount: [-0.3, 0, 0.3, 0.8]}
void read_effects(const settings::value& from, std::vector<effect>& into);
/// The name of any reason of the decline table.
std::optional<payments::decline_reason> read_reason(const settings::value& from);
std::optional<feature> read_feature(const settings::value& from);

void read_gateways(const settings::value& from, world& into);
void read_events(const settings::value& from, world& into);

}  // namespace turnout::routing::simulator
