#pragma once
// A world's YAML file (conf/schema/world.json) into a world.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "routing/simulator/world.hpp"
#include "settings/document.hpp"

namespace turnout::routing::simulator {

/// The text of a file, or nullopt when it cannot be read.
using file_reader = std::function<std::optional<std::string>(const std::string& path)>;

/// Reads `file` and the files it extends. Errors go to `found` with their
/// positions, and then there is no world.
std::optional<world> read_world(const std::string& file, const file_reader& read, settings::problems& found);

/// Limits on what one file may ask for.
inline constexpr double most_tps = 100'000, most_seconds = 366.0 * 86'400, most_payments = 50e6;
inline constexpr std::size_t most_issuers = 20'000, most_events = 1'000, most_cells = 8'000'000;

}  // namespace turnout::routing::simulator
