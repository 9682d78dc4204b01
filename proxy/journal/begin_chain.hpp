#pragma once
#include "proxy/journal/database.hpp"

namespace turnout::journal {

/// For journals that were begun before there was a chain: moves the rows of `unchained_steps` to `steps`, in the
/// order of their slots, and chains them. Such a link attests what the journal
/// said by then: its record is the one that was found, its time the record's. `meta` tells how many they are.
void chain_all_steps(database& file);

}  // namespace turnout::journal
